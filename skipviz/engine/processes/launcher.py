"""Starts worker processes and carries lines to and from them, on the engine's event loop. Imports no torch.

Warm workers are forked by the fork server; runs on a CUDA device, and all runs where there is no fork, are fresh processes. On a
cluster the process that joins it takes the fork server's part, and what it forks are workers on the cluster's nodes.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from .wire import Lines, encode

ROOT = Path(__file__).resolve().parents[3]
"""Where the package lies; every process of the engine runs there, whatever the server's working directory."""
EXIT_REPORT_SECONDS = 5.0
"""How long the fork server's word on a vanished worker is waited for, where there is a fork server to say it."""
SLOWEST_RESTART = 10.0
"""Seconds between two starts of a fork server that keeps dying."""
LOST, FULL = "lost", "full"
"""How a child ended for no reason of its own: the node of the cluster that it was on is gone, or had no room for it."""


OnLines = Callable[[list[tuple[bytes, bytes]]], None]
Status = int | str | None
OnLost = Callable[[Status], None]


@dataclass(frozen=True)
class Needs:
    """What a child needs of a cluster's node; nothing is held on a machine of one's own."""

    place: str | None = None
    """The node; None: any."""
    cores: float = 0.0
    memory_mb: float = 0.0
    gpus: float = 0.0


NOTHING = Needs()


class Child(asyncio.Protocol):
    """One worker or initialisation worker process, as the server sees it. All methods run on the engine's loop.

    `on_lines([(word, rest), …])` gets the lines that came together; `on_lost(status)` is called once, when the process is
    gone: with its exit status, negative for a signal, `LOST` or `FULL`, or None where nobody knows it.
    """

    def __init__(self, ticket: int, on_lines: OnLines, on_lost: OnLost) -> None:
        self.ticket, self._on_lines, self._on_lost = ticket, on_lines, on_lost
        self.heard = False
        """Whether it ever said anything."""
        self.pid: int | None = None
        """Its process id, once that is known."""
        self._lines = Lines()
        self._writer: asyncio.WriteTransport | None = None
        self._reader: asyncio.ReadTransport | None = None
        self._waiting: list[bytes] = []
        self._killer: Callable[[], None] | None = None
        self._doomed = False
        self._status: Status = None
        self._reported = False
        """Whether its exit status is known, or known to be lost."""
        self._ended = False
        self.silent = asyncio.Event()
        """Set once its connection is gone."""

    def send(self, data) -> None:
        """Send one JSON line, as soon as the process is there."""
        self.send_bytes(encode(data) + b"\n")

    def send_bytes(self, data: bytes) -> None:
        """Send what is encoded, as soon as the process is there."""
        if self._writer is None:
            self._waiting.append(data)
        elif not self._writer.is_closing():
            self._writer.write(data)

    def listen(self, listens: bool) -> None:
        """Read what the process says, or let it wait, since nobody can take it now."""
        if self._reader is not None and not self._reader.is_closing():
            self._reader.resume_reading() if listens else self._reader.pause_reading()

    def kill(self) -> None:
        """End the process; `on_lost` follows."""
        self._doomed = True
        if self._killer is not None:
            self._killer()

    def connected(self, writer: asyncio.WriteTransport, reader: asyncio.ReadTransport, killer: Callable[[], None]) -> None:
        """Take the ways to write to the process, to read from it, and to end it."""
        self._writer, self._reader, self._killer = writer, reader, killer
        for line in self._waiting:
            writer.write(line)
        self._waiting.clear()
        if self._doomed:
            killer()

    def data_received(self, data: bytes) -> None:
        self.heard = True
        lines = [(word, rest) for word, _, rest in (line.partition(b" ") for line in self._lines.feed(data))]
        if lines:
            self._on_lines(lines)

    def connection_lost(self, error: Exception | None) -> None:
        self.silent.set()
        if self._reported:
            self._tell()
        else:
            asyncio.get_running_loop().call_later(EXIT_REPORT_SECONDS, self._tell)

    def exited(self, status: Status) -> None:
        """Take its exit status, as `on_lost` gets it; None: nobody will know."""
        self._reported = True
        if status is not None:
            self._status = status
        if self.silent.is_set():
            self._tell()

    def _tell(self) -> None:
        if not self._ended:
            self._ended = True
            self._on_lost(self._status)


class _Subprocess(asyncio.SubprocessProtocol):
    """Joins a fresh process's pipes to a `Child`."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._child.data_received(data)

    def process_exited(self) -> None:
        self._child.exited(self._transport.get_returncode())

    def connection_made(self, transport) -> None:
        self._transport = transport
        self._child.pid = transport.get_pid()

        def kill() -> None:
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                transport.kill()

        self._child.connected(transport.get_pipe_transport(0), transport.get_pipe_transport(1), kill)

    def connection_lost(self, error: Exception | None) -> None:
        self._child.connection_lost(error)


def fork_server_process(end: socket.socket) -> subprocess.Popen:
    """Start a fork server that speaks over `end`."""
    return _helper(end, "skipviz.engine.fork_server")


def cluster_process(end: socket.socket, address: str) -> subprocess.Popen:
    """Start what joins the cluster at `address` and speaks over `end` as a fork server does."""
    return _helper(end, "skipviz.engine.processes.cluster", address)


def _helper(end: socket.socket, module: str, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", module, str(end.fileno()), *arguments],
        pass_fds=[end.fileno()],
        cwd=ROOT,
        env=_environment(CUDA_VISIBLE_DEVICES=""),
        stdin=subprocess.DEVNULL,
    )


class Launcher:
    """Starts children; keeps one fork server alive where workers are forked, or its part in the cluster at the address `ray`."""

    def __init__(self, forks: bool, ray: str = "") -> None:
        self.forks, self._ray = forks or bool(ray), ray
        self.nodes: list[tuple[str, float, float, float]] = []
        """Of each node of the cluster its name, and the cores, MB and GPUs that others leave."""
        self._tickets = itertools.count(1)
        self._children: dict[int, Child] = {}
        """Forked children whose end the fork server has not reported."""
        self._live: set[Child] = set()
        self._tasks: set[asyncio.Task] = set()
        self._process: subprocess.Popen | None = None
        self._socket: socket.socket | None = None
        self._lines = Lines()
        self._restart_seconds = 0.0
        self._closed = False
        self.ready = asyncio.Event()
        """Set once a fork server has warmed up."""

    @property
    def fork_server_pid(self) -> int | None:
        """The fork server's process id, while there is one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the fork server, which warms up while the server serves."""
        if not self.forks or self._closed:
            return
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = cluster_process(theirs, self._ray) if self._ray else fork_server_process(theirs)
        ours.setblocking(False)
        self._socket, self._lines = ours, Lines()
        asyncio.get_running_loop().add_reader(ours, self._hear_fork_server)

    def launch(self, role: str, on_lines: OnLines, on_lost: OnLost, cuda: bool = False, needs: Needs = NOTHING) -> Child:
        """Start a `worker`, `job_worker` or `initialisation` and return it; what is sent to it waits until it is there."""
        child = Child(next(self._tickets), on_lines, on_lost)
        self._live = {child, *(other for other in self._live if not other.silent.is_set())}
        if self._ray or (self.forks and not cuda):
            self._fork(child, role, asdict(needs) if self._ray else {})
        else:
            self._in_background(self._spawn(child, role))
        return child

    def hold(self, child: Child, cores: float) -> None:
        """Let a child of a cluster hold so many cores of its node, as it computes or rests."""
        if self._ray and self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.send(encode({"hold": child.ticket, "cores": cores}) + b"\n")

    async def close(self) -> None:
        """End all children and let go of the fork server, which ends itself."""
        self._closed = True
        for child in self._live:
            child.kill()
        gone = [asyncio.create_task(child.silent.wait()) for child in self._live]
        if gone:
            await asyncio.wait(gone, timeout=1)
        self._drop_fork_server()

    def _fork(self, child: Child, role: str, needs: dict) -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            self._children[child.ticket] = child
            try:
                if self._socket is None:
                    raise ConnectionError("there is no fork server at present")
                socket.send_fds(self._socket, [encode({"fork": child.ticket, "role": role, **needs}) + b"\n"], [theirs.fileno()])
            except OSError:
                ours.close()
                loop.call_soon(child.connection_lost, None)
                loop.call_soon(child.exited, self._unknown)
                return
        self._in_background(self._connect(child, ours))

    async def _connect(self, child: Child, ours: socket.socket) -> None:
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: child, sock=ours)

        def kill() -> None:
            if child.ticket in self._children and self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.send(encode({"kill": child.ticket}) + b"\n")
            transport.abort()

        child.connected(transport, transport, kill)

    async def _spawn(self, child: Child, role: str) -> None:
        try:
            await asyncio.get_running_loop().subprocess_exec(
                lambda: _Subprocess(child),
                *(sys.executable, "-m", f"skipviz.engine.processes.{role}"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=None,
                cwd=ROOT,
                env=_environment(),
            )
        except OSError:
            child.connection_lost(None)
            child.exited(None)

    def _hear_fork_server(self) -> None:
        try:
            data = self._socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._fork_server_died()
            return
        for line in self._lines.feed(data):
            word, _, rest = line.partition(b" ")
            if word == b"ready":
                self._restart_seconds = 0.0
                self.ready.set()
            elif word == b"nodes":
                self.nodes = [tuple(one) for one in json.loads(rest)]
            elif word == b"born":
                ticket, pid = json.loads(rest)
                if ticket in self._children:
                    self._children[ticket].pid = pid
            elif word == b"exit":
                ticket, status = json.loads(rest)
                child = self._children.pop(ticket, None)
                if child is not None:
                    child.exited(status)

    def _fork_server_died(self) -> None:
        """Start another one; its children go on, and nobody will learn how they end."""
        self._drop_fork_server()
        self.ready.clear()
        orphans, self._children, self.nodes = self._children, {}, []
        if not self._closed:
            asyncio.get_running_loop().call_later(self._restart_seconds, self.start)
            self._restart_seconds = min(SLOWEST_RESTART, self._restart_seconds * 2 + 0.25)
        for child in orphans.values():
            child.exited(self._unknown)

    @property
    def _unknown(self) -> Status:
        """How a child ended of which the fork server says no more: those on a cluster end with who joins it."""
        return LOST if self._ray else None

    def _drop_fork_server(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        process, self._process = self._process, None
        if process is not None:
            try:
                process.wait(timeout=0.5 if self._closed else 0.05)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _in_background(self, work) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _environment(**changes: str) -> dict[str, str]:
    paths = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1", **changes}
