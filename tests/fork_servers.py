"""Fork servers and store writers forked from one of each that is warm: `Warm` on a test's side, `main` in a process of its own.

Every engine has both, which import torch and a database's libraries and warm up: seconds of a core for each engine that a test
starts. Engines that are about fork servers, in the tests of faults, and servers start theirs as they do for people, but for those
that share a database.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

import pytest

STDOUT, STDERR = 1, 2
"""Where a forked process writes, unless it speaks over it, which is where the test that starts it has these go."""


class Forked:
    """A forked process, in the words of `subprocess.Popen` as far as an engine uses them."""

    stdin: BinaryIO
    stdout: BinaryIO

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._process = os.pidfd_open(pid)
        except ProcessLookupError:
            self._process = None
        else:
            weakref.finalize(self, os.close, self._process)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is gone, in any thread; raises `subprocess.TimeoutExpired`."""
        if self._process is not None and not select.select([self._process], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("a forked process", timeout)

    def kill(self) -> None:
        """End it, if it is there."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._process, signal.SIGKILL)


class Warm:
    """A warm process of a kind; it starts with the first that is wanted of it, and ends with this process."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._socket: socket.socket | None = None

    def fork(self, ends: list[int], arguments: list[str], **environment: str) -> Forked:
        """Return a process of the kind that has these descriptors, and is told what `environment` changes."""
        with self._lock:
            if self._socket is None:
                self._start()
            told = json.dumps([arguments, {**os.environ, **environment}]).encode()
            socket.send_fds(self._socket, [len(told).to_bytes(4, "big")], ends)
            self._socket.sendall(told)
            return Forked(int.from_bytes(_read(self._socket, 4), "big"))

    def lend(self) -> socket.socket:
        """Return a socket over which another process may `borrow` it."""
        ours, theirs = socket.socketpair()
        with self._lock, theirs:
            if self._socket is None:
                self._start()
            socket.send_fds(self._socket, [bytes(4)], [theirs.fileno()])
        return ours

    def borrow(self, number: int) -> None:
        """Have processes of what was lent to this one as the socket of that number."""
        self._socket = socket.socket(fileno=number)

    def _start(self) -> None:
        from skipviz.engine.processes.launcher import ROOT, _environment

        self._socket, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", __file__, self._kind, str(theirs.fileno())]
            environment = _environment(CUDA_VISIBLE_DEVICES="")
            self._process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL
            )


_FORK_SERVERS, _STORE_WRITERS = Warm("fork_server"), Warm("store_writer")


def _fork_server(end: socket.socket) -> Forked:
    return _FORK_SERVERS.fork([end.fileno(), STDOUT, STDERR], [], CUDA_VISIBLE_DEVICES="")


def _store_writer(arguments: list[str], places: dict[str, str]) -> Forked:
    (reads, ours), (theirs, writes) = os.pipe(), os.pipe()
    try:
        forked = _STORE_WRITERS.fork([reads, writes, STDERR], arguments, **places)
    finally:
        os.close(reads)
        os.close(writes)
    forked.stdin, forked.stdout = os.fdopen(ours, "wb"), os.fdopen(theirs, "rb")
    return forked


def _fork_from_now_on(patch: pytest.MonkeyPatch) -> None:
    from skipviz.engine.processes import launcher
    from skipviz.storage import store_client

    patch.setattr(launcher, "fork_server_process", _fork_server)
    patch.setattr(store_client, "store_writer_process", _store_writer)


@pytest.fixture(scope="package", autouse=True)
def warm_fork_servers():
    """Engines that the tests of a folder start in their own process get forked fork servers and store writers."""
    with pytest.MonkeyPatch.context() as patch:
        _fork_from_now_on(patch)
        yield


@pytest.fixture
def forked(monkeypatch):
    """The engines of one test get forked fork servers and store writers."""
    _fork_from_now_on(monkeypatch)


@contextlib.contextmanager
def lent(wanted: bool) -> Iterator[list[int]]:
    """Give the descriptors that a process which is started meanwhile needs to `borrow`, if that is wanted, else none."""
    with contextlib.ExitStack() as sockets:
        yield [sockets.enter_context(warm.lend()).fileno() for warm in (_FORK_SERVERS, _STORE_WRITERS) if wanted]


def borrow(*numbers: str) -> None:
    """Let the engine of this process have forked ones of the process of tests that lent it these descriptors."""
    for warm, number in zip((_FORK_SERVERS, _STORE_WRITERS), numbers, strict=True):
        warm.borrow(int(number))
    _fork_from_now_on(pytest.MonkeyPatch())


def _read(source: socket.socket, count: int) -> bytes:
    """Return `count` bytes; raises `ConnectionError` where the other side is gone."""
    data = b""
    while len(data) < count:
        part = source.recv(count - len(data))
        if not part:
            raise ConnectionError("the other side is gone")
        data += part
    return data


def main(kind: str, number: str) -> None:
    """Warm up, then fork one of the kind for each request that comes, until the tests are gone."""
    warm_up, serve = KINDS[kind]
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(ignored, signal.SIG_IGN)
    tests = socket.socket(fileno=int(number))
    askers = [tests]
    warm_up()
    gc.collect()
    gc.freeze()
    while tests in askers:
        for asker in select.select(askers, [], [])[0]:
            try:
                if lent := _answer(asker, askers, serve):
                    askers.append(lent)
            except OSError:  # it is gone, perhaps in the middle of asking
                askers.remove(asker)
                asker.close()


def _answer(asker: socket.socket, askers: list[socket.socket], serve) -> socket.socket | None:
    """Fork as `asker` asks, or return the socket of another one who may ask; raises `OSError` where it is gone."""
    size, ends, _, _ = socket.recv_fds(asker, 4, 8)
    if not size:
        raise ConnectionError("it asks no more")
    if not any(size):
        return socket.socket(fileno=ends[0])
    try:
        arguments, environment = json.loads(_read(asker, int.from_bytes(size, "big")))
        pid = os.fork()
        if not pid:
            for one in askers:
                one.close()
            os.environ.update(environment)
            serve(arguments, *ends)
    finally:
        for end in ends:
            os.close(end)
    asker.sendall(pid.to_bytes(4, "big"))
    return None


def _warm_fork_server() -> None:
    from skipviz.engine.fork_server import warm_ups
    from skipviz.engine.processes import initialisation, job_worker, worker  # noqa: F401  (imported here once, for every child)

    for warm_up in warm_ups():
        warm_up()


def _be_a_fork_server(_: list[str], end: int, *streams: int) -> NoReturn:
    """Serve an engine as its fork server, which never returns."""
    from skipviz.engine.fork_server import ForkServer

    _move(streams, (STDOUT, STDERR))
    fork_server = ForkServer(socket.socket(fileno=end))
    fork_server.tell("ready", True)
    fork_server.tend(None)


def _warm_store_writer() -> None:
    from skipviz.storage import store_writer  # noqa: F401  (imported here once, for every child)
    from skipviz.storage.database import Database, sqlite_url

    with tempfile.TemporaryDirectory() as folder:
        Database(sqlite_url(Path(folder) / "runs.db"), 1.0).close()


def _be_a_store_writer(arguments: list[str], *streams: int) -> NoReturn:
    """Serve an engine as its store writer, and end as one ends."""
    from skipviz.storage.store_writer import main as serve

    _move(streams, (0, STDOUT, STDERR))
    sys.argv[1:] = arguments
    try:
        serve()
    finally:
        os._exit(0)


def _move(descriptors: tuple[int, ...], places: tuple[int, ...]) -> None:
    for descriptor, place in zip(descriptors, places, strict=True):
        os.dup2(descriptor, place)
        os.close(descriptor)


KINDS = {"fork_server": (_warm_fork_server, _be_a_fork_server), "store_writer": (_warm_store_writer, _be_a_store_writer)}
"""How a kind of process warms up, and what a child of it does."""

if __name__ == "__main__":
    main(*sys.argv[1:])
