"""Viewers whose connection is cut or whose browser reads slowly: they lose nothing, and nobody waits for them."""

from __future__ import annotations

import json
import random
import socket
import struct
import threading

import pytest
from engines import PATIENCE, frames_of, measured, small, wait_for, wait_for_end
from loopback import served

from skipviz.network import families
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task
from skipviz.web.http import routes, stream


@pytest.fixture(scope="module")
def client(engine):
    """A browser that speaks to the routes of this engine."""
    with served() as browser:
        yield browser


class Connection:
    """One stream over a plain socket, which takes what has come byte by byte, as a browser does.

    Only what ends in an empty line is a message; `place` is the last one's, which is asked for when the connection was cut.
    """

    def __init__(self, port, run, place=None, window=None):
        self._socket = socket.socket()
        if window:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(("127.0.0.1", port))
        last = f"Last-Event-ID: {place}\r\n" if place else ""
        self._socket.sendall(f"GET /skipviz/stream?runs={run} HTTP/1.0\r\n{last}\r\n".encode())
        self._rest, self._headed = b"", False
        self.place = place

    def read(self, most):
        """Return the messages that the next bytes complete, `most` bytes at most; None at the end."""
        data = self._socket.recv(most)
        if not data:
            return None
        self._rest += data
        if not self._headed:
            head, found, rest = self._rest.partition(b"\r\n\r\n")
            if not found:
                return []
            assert head.startswith(b"HTTP/1.1 200"), head
            self._rest, self._headed = rest, True
        *whole, self._rest = self._rest.split(b"\n\n")
        return [self._message(text) for text in whole if not text.startswith(b":")]

    def _message(self, text):
        data = None
        for line in text.split(b"\n"):
            name, _, value = line.partition(b": ")
            if name == b"id":
                self.place = value.decode()
            elif name == b"data":
                data = json.loads(value)
        return data

    @property
    def in_a_message(self):
        """Whether part of a message has come."""
        return bool(self._rest)

    def cut(self):
        """End the connection as a broken network does, without a word."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


def scheduled(messages):
    """Return the frames in messages that are kept."""
    return [frame for message in messages for frame in message["frames"] if not frame.get("passing")]


def test_a_connection_cut_within_frames_again_and_again_and_resumed_loses_and_doubles_nothing(client, engine):
    run = engine.run(client.start(small(steps=700, record_every=1), speed=200))
    chance, messages, cuts = random.Random(7), [], 0
    connection = Connection(client.port, run.id)
    ended = False
    while not ended:
        until = chance.randint(2_000, 60_000)
        while until > 0 and not ended:
            came = connection.read(chance.randint(1, 4000))
            assert came is not None
            messages += came
            ended = any(message["state"] == "finished" for message in came)
            until -= 2000
            if until <= 0 and not connection.in_a_message:
                until = 1
        place = connection.place
        connection.cut()
        cuts += not ended
        connection = Connection(client.port, run.id, place)
    connection.cut()
    assert cuts >= 5, "it was cut in the middle of a message"
    assert [bool(message.get("snapshot")) for message in messages] == [True] + [False] * (len(messages) - 1)
    assert [frame["step"] for frame in scheduled(messages)] == list(range(700))
    assert measured(scheduled(messages)) == measured(frames_of(run))


class Watcher(threading.Thread):
    """Another viewer of the run, which reads as fast as it can."""

    def __init__(self, port, run):
        super().__init__(daemon=True)
        self._connection = Connection(port, run)
        self.steps, self.resyncs = [], 0

    def run(self):
        while (came := self._connection.read(1 << 16)) is not None:
            self.resyncs += sum("resync" in message for message in came)
            self.steps += [frame["step"] for frame in scheduled(message for message in came if "frames" in message)]
            if any(message.get("state") == "stopped" for message in came):
                return


def test_a_browser_that_reads_slowly_begins_anew_and_nobody_waits_for_it(client, engine, monkeypatch):
    monkeypatch.setattr(stream, "MAX_LAG", 250_000)
    network = families.mlp(depth=120, width=4, skip_every=2)
    training = Training(steps=1_000_000, batch_size=4, record_every=1)
    experiment = Experiment(variants={"net": network}, task=Task(samples=50), training=training)
    run = engine.run(client.start(experiment, speed=60))  # so that none of its frames has to go from memory meanwhile
    slow = Connection(client.port, run.id, window=4096)
    messages = []
    while not messages:
        messages += slow.read(4096)
    watcher = Watcher(client.port, run.id)
    watcher.start()
    [broadcaster] = routes._broadcasters.values()
    places = [viewer.cursors for viewer in broadcaster._viewers[run.id]]
    wait_for(engine, lambda: max(run.lag(place[run.id]) for place in places) > stream.MAX_LAG)
    reached = run.step
    wait_for(engine, lambda: watcher.steps and watcher.steps[-1] >= reached)
    while not any("resync" in message for message in messages):
        messages += slow.read(1 << 16)
    began_anew = next(place for place, message in enumerate(messages) if "resync" in message)
    while len(messages) < began_anew + 3:
        messages += slow.read(1 << 16)
    assert messages[began_anew] == {"run": run.id, "resync": True}
    assert messages[began_anew + 1]["snapshot"] is True
    steps = [frame["step"] for frame in scheduled(messages[began_anew + 1 :])]
    assert steps == list(range(len(steps)))
    assert steps[-1] >= reached
    before = [frame["step"] for frame in scheduled(messages[:began_anew])]
    assert before == list(range(len(before)))
    client.post(run.id, {"kind": "stop"})
    wait_for_end(engine, run)
    watcher.join(PATIENCE)
    assert watcher.resyncs == 0
    assert watcher.steps == list(range(len(watcher.steps)))
    slow.cut()
