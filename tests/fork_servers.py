"""Fork servers forked from one that is warm: `Warm` on a test's side, `main` in a process of its own.

Every engine has a fork server, which imports torch and warms up: seconds of a core for each engine that a test starts. Engines that
are about fork servers, in the tests of faults, and all servers of tests start theirs as they do for people.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading

import pytest

STREAMS = (1, 2)
"""Where a fork server writes, which is where the test that starts it has these go."""


class Forked:
    """A forked fork server, in the words of `subprocess.Popen` as far as an engine uses them."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._process = os.pidfd_open(pid)
        except ProcessLookupError:
            self._process = None

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is gone; raises `subprocess.TimeoutExpired`."""
        if self._process is None:
            return
        if not select.select([self._process], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("fork_server", timeout)
        os.close(self._process)
        self._process = None

    def kill(self) -> None:
        """End it, if it is there."""
        if self._process is not None:
            signal.pidfd_send_signal(self._process, signal.SIGKILL)


class Warm:
    """A warm fork server that has no engine; it starts with the first that is wanted of it, and ends with this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._socket: socket.socket | None = None

    def fork(self, end: socket.socket) -> Forked:
        """Return a fork server that speaks over `end`."""
        with self._lock:
            if self._socket is None:
                self._start()
            environment = json.dumps({**os.environ, "CUDA_VISIBLE_DEVICES": ""}).encode()
            socket.send_fds(self._socket, [len(environment).to_bytes(4, "big")], [end.fileno(), *STREAMS])
            self._socket.sendall(environment)
            return Forked(int.from_bytes(_read(self._socket, 4), "big"))

    def _start(self) -> None:
        from skipviz.engine.processes.launcher import ROOT, _environment

        self._socket, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", __file__, str(theirs.fileno())]
            environment = _environment(CUDA_VISIBLE_DEVICES="")
            self._process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL
            )


_WARM = Warm()


@pytest.fixture(scope="package", autouse=True)
def warm_fork_servers():
    """Engines that the tests of a folder start in their own process get forked fork servers."""
    from skipviz.engine.processes import launcher

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launcher, "fork_server_process", _WARM.fork)
        yield


def _read(source: socket.socket, count: int) -> bytes:
    """Return `count` bytes; raises `EOFError` where the other side is gone."""
    data = b""
    while len(data) < count:
        part = source.recv(count - len(data))
        if not part:
            raise EOFError("the warm fork server is gone")
        data += part
    return data


def main() -> None:
    """Warm up, then fork a fork server for each socket that comes, until the tests are gone."""
    from skipviz.engine.fork_server import warm_ups
    from skipviz.engine.processes import initialisation, job_worker, worker  # noqa: F401  (imported here once, for every child)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)
    tests = socket.socket(fileno=int(sys.argv[1]))
    for warm_up in warm_ups():
        warm_up()
    gc.collect()
    gc.freeze()
    while True:
        size, ends, _, _ = socket.recv_fds(tests, 4, 8)
        if not size:
            return
        environment = json.loads(_read(tests, int.from_bytes(size, "big")))
        pid = os.fork()
        if not pid:
            _be_a_fork_server(tests, environment, *ends)
        for end in ends:
            os.close(end)
        tests.sendall(pid.to_bytes(4, "big"))


def _be_a_fork_server(tests: socket.socket, environment: dict[str, str], end: int, *streams: int) -> None:
    """Serve an engine as its fork server, which never returns."""
    from skipviz.engine.fork_server import ForkServer

    tests.close()
    for stream, mine in zip(streams, STREAMS, strict=True):
        os.dup2(stream, mine)
        os.close(stream)
    os.environ.update(environment)
    fork_server = ForkServer(socket.socket(fileno=end))
    fork_server.tell("ready", True)
    fork_server.tend(None)


if __name__ == "__main__":
    main()
