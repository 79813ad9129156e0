"""What a script sends of a watched module arrives as it was recorded, and never holds the script up."""

import contextlib
import gc
import json
import socket
import threading
import time

import pytest
import torch
from engines import PATIENCE, wait_for
from torch import nn

from skipviz.engine import Engine
from skipviz.settings import Settings
from skipviz.storage.folder import socket_of
from skipviz.watch import lab_server, live
from skipviz.watch import watched as watched_module
from skipviz.watch.watched import Watched


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of runs in which every module that is watched now is shown."""
    settings = Settings(data_dir=tmp_path, watch=True)
    for module in (watched_module, live):
        monkeypatch.setattr(module, "get_settings", lambda: settings)
    return tmp_path


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def trained(watched, model, steps):
    for _ in range(steps):
        loss = model(torch.randn(5, 4)).square().mean()
        loss.backward()
        watched.step(loss)


def test_all_that_was_recorded_arrives_and_the_run_ends_with_its_steps(folder, capsys):
    engine = Engine(Settings(data_dir=folder)).start()
    try:
        model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
        watched = Watched(model, every=2, title="Every other")
        trained(watched, model, 11)
        watched.close()
        run = engine.run(watched.live.run_id)
        assert (run.state, run.title, run.step, run.steps) == ("finished", "Every other", 11, 11)
        assert run.frames == watched.run.frames
        assert len(run.frames) == 6
        found, end = capsys.readouterr().err.splitlines()
        assert found == f"skipviz: {watched.found()}; live at the lab of this machine"
        assert end == f"skipviz: 11 steps, loss {watched.frame().loss:.4g}; 6 recorded, the last of them too"
    finally:
        engine.close()


def test_frames_arrive_while_the_script_trains(folder):
    engine = Engine(Settings(data_dir=folder)).start()
    try:
        model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3))
        watched = Watched(model, every=1)
        trained(watched, model, 1)
        wait_for(engine, lambda: watched.live.run_id and engine.run(watched.live.run_id).frames)
        run = engine.run(watched.live.run_id)
        trained(watched, model, 4)
        wait_for(engine, lambda: len(run.frames) == 5)
        assert not run.ended
    finally:
        engine.close()
    trained(watched, model, 3)
    watched.close()
    assert (len(watched.run.frames), len(run.frames)) == (8, 5)
    assert "no server runs for this folder" in watched.live.problem


def test_what_a_lab_missed_that_was_gone_is_in_the_same_run_when_one_is_there_again(folder, capsys, monkeypatch):
    monkeypatch.setattr(live, "LOOKING_SECONDS", 0.01)
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3))
    watched = Watched(model, every=2)
    engine = Engine(Settings(data_dir=folder)).start()
    try:
        trained(watched, model, 4)
        wait_for(engine, lambda: watched.live.run_id and len(engine.run(watched.live.run_id).frames) == 2)
        run_id = watched.live.run_id
    finally:
        engine.close()
    trained(watched, model, 5)
    again = Engine(Settings(data_dir=folder)).start()
    try:
        wait_for(again, lambda: (run := again.run(run_id)) and len(run.frames) == 5)
        assert again.run(run_id).state == "running"
        trained(watched, model, 2)
        watched.close()
        run = again.run(run_id)
        assert watched.live.run_id == run_id
        assert (run.state, run.step, run.frames) == ("finished", 11, watched.run.frames)
        assert [one["state"] for one in again.runs_of("somebody")] == ["finished"]
    finally:
        again.close()
    said = capsys.readouterr().err.splitlines()
    assert ["live at" in line for line in said] == [True, False, True, False]
    assert "is gone" in said[1]
    kept = Engine(Settings(data_dir=folder)).start()
    try:
        assert kept.run(run_id).frames == watched.run.frames
    finally:
        kept.close()


def test_a_lab_that_a_script_started_is_started_again_a_few_times_and_no_more(folder, monkeypatch, capsys):
    asked = []

    class Gone:
        started = True

        def greet(self, greeting):
            return {"run": "r", "address": "", "step": -1}

        def write(self, lines):
            raise BrokenPipeError

    def connect(settings, start=True):
        asked.append(start)
        if not start:
            raise lab_server.NoLabError("no server runs for this folder")
        return Gone()

    monkeypatch.setattr(live, "connect", connect)
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3))
    watched = Watched(model, every=1)
    trained(watched, model, 3)
    watched.live._thread.join(20)
    watched.close()
    assert asked == [True] * (1 + live.MOST_RESTARTS) + [False]
    assert "no server runs" in watched.live.problem
    assert len(watched.run.frames) == 3


def test_a_lab_that_goes_just_when_a_script_comes_is_no_lab(folder, monkeypatch, capsys):
    """As a killed server's socket still takes a script in that has just lost the connection to it."""
    monkeypatch.setattr(live, "LOOKING_SECONDS", 0.01)
    asked, taken = [], []

    class Server:
        def __init__(self, started, greets, writes):
            self.started, self._greets, self._writes = started, greets, writes

        def greet(self, greeting):
            if not self._greets:
                raise ConnectionResetError("the lab let go of the connection")
            return {"run": "r", "address": "", "step": -1}

        def write(self, lines):
            if not self._writes:
                raise BrokenPipeError
            taken.append(lines)

        def finish(self, seconds):
            return

    servers = iter([Server(False, False, False), Server(True, True, False), Server(False, False, False), Server(True, True, True)])
    monkeypatch.setattr(live, "connect", lambda settings, start=True: asked.append(start) or next(servers))
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3))
    watched = Watched(model, every=1)
    trained(watched, model, 3)
    wait_until(lambda: b"frame 2 " in b"".join(taken))
    watched.close()
    assert watched.live.problem is None
    assert asked == [True] * 4, "whoever was at none yet may start one, and whoever did may again"
    assert ["live at" in line for line in capsys.readouterr().err.splitlines()] == [True, False, True, False]


def test_the_last_of_so_many_steps_is_recorded_and_how_far_a_script_came_is_said(folder, monkeypatch, capsys):
    monkeypatch.setattr(live, "connect", lambda settings: (_ for _ in ()).throw(lab_server.NoLabError("none")))
    for steps, told in ((9, "the last of them too"), (None, "the last of them step 5")):
        model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3))
        watched = Watched(model, every=5, steps=steps)
        trained(watched, model, 9)
        watched.close()
        count = len(watched.run.frames)
        said = capsys.readouterr().err.splitlines()[-1]
        assert said == f"skipviz: 9 steps, loss {watched.live.loss:.4g}; {count} recorded, {told}"


def test_a_server_that_reads_nothing_holds_no_step_up(folder):
    deaf = socket.socket(socket.AF_UNIX)
    deaf.bind(str(socket_of(folder)))
    deaf.listen()
    connections = []

    def greet():
        connection, _ = deaf.accept()
        connections.append(connection)
        connection.recv(10)
        connection.sendall(json.dumps({"run": "r", "address": "", "step": -1}).encode() + b"\n")

    threading.Thread(target=greet, daemon=True).start()
    model = nn.Sequential(*[nn.Linear(4, 4) for _ in range(40)])
    watched = Watched(model, every=1)
    began = time.monotonic()
    trained(watched, model, 100)  # 2 MB of frames, more than a socket holds
    assert time.monotonic() - began < 60
    began = time.monotonic()
    watched.live.end("finished", wait=0.2)
    assert time.monotonic() - began < 10
    assert len(watched.run.frames) == 100
    for one in (deaf, *connections):
        one.close()


def test_a_script_without_a_lab_goes_on_and_says_so_once(folder, monkeypatch, capsys):
    monkeypatch.setattr(lab_server, "ROOT", folder)  # where no app.py is
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3))
    watched = Watched(model, every=1)
    trained(watched, model, 5)
    watched.close()
    assert len(watched.run.frames) == 5
    assert "start it by hand" in watched.live.problem
    said = capsys.readouterr().err
    assert said.count(watched.live.problem) == 1
    assert "5 steps, loss" in said


def test_another_users_socket_is_not_written_to(folder, monkeypatch):
    engine = Engine(Settings(data_dir=folder)).start()
    try:
        monkeypatch.setattr(lab_server.os, "getuid", lambda: 12345)
        with pytest.raises(OSError, match="another user"):
            lab_server.Connection(socket_of(folder))
    finally:
        monkeypatch.undo()
        engine.close()


def test_a_lab_that_lets_nobody_in_is_left_alone_after_a_few_times_and_that_is_said(folder, monkeypatch):
    monkeypatch.setattr(live, "LOOKING_SECONDS", 0.01)
    deaf = socket.socket(socket.AF_UNIX)
    deaf.bind(str(socket_of(folder)))
    deaf.listen()

    def let_go():
        with contextlib.suppress(OSError):
            while True:
                deaf.accept()[0].close()

    threading.Thread(target=let_go, daemon=True).start()
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3))
    watched = Watched(model, every=1)
    trained(watched, model, 1)
    watched.live._thread.join(20)
    assert watched.live.problem.startswith("not shown live: ")
    deaf.shutdown(socket.SHUT_RDWR)
    deaf.close()
    watched.close()


@pytest.mark.parametrize("off", ["argument", "setting"])
def test_nothing_is_sent_where_that_is_switched_off(folder, monkeypatch, off):
    monkeypatch.setattr(live, "connect", lambda settings: pytest.fail("it was looked for"))
    if off == "setting":
        monkeypatch.setattr(watched_module, "get_settings", lambda: Settings(data_dir=folder, watch=False))
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3))
    watched = Watched(model, every=1, live=off == "setting")
    trained(watched, model, 2)
    watched.close()
    assert watched.live is None
    assert len(watched.run.frames) == 2


def test_a_module_that_is_let_go_ends_its_run(folder):
    engine = Engine(Settings(data_dir=folder)).start()
    try:
        model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3))
        watched = Watched(model, every=1)
        trained(watched, model, 2)
        live = watched.live
        wait_for(engine, lambda: live.run_id)
        run = engine.run(live.run_id)
        del watched, model
        gc.collect()
        wait_for(engine, lambda: run.ended)
        assert run.state == "finished"
    finally:
        engine.close()
