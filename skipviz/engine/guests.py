"""Scripts of this machine that watch a module of their own: each has a run here as long as it trains. Imports no torch.

A script connects to a socket in the folder of what is kept, which its user alone may use, says what it watches, and then
writes the lines that a worker writes (see `processes/wire.py`). Nothing of it is executed: what it sends are numbers and names.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import Field, ValidationError

from ..network.base import Frozen, NetworkError, sentence
from ..storage import Run, RunStore, StoreError
from ..storage.folder import FolderLock, socket_of
from ..storage.run import GUEST, step_of
from ..storage.summary import checked_title, title_of
from ..tasks.experiment import MAX_JSON, Experiment
from .guest_lines import GuestError, checked
from .processes.wire import encode
from .run_events import RunEvents

MOST = 32
"""Guests at a time: a script watches one module, or a few."""
GREETING_SECONDS = 20.0
"""Within which a guest has to say what it watches."""
FINDING_SECONDS = 20.0
"""Within which the run of a guest whose server is gone is found; else it begins another."""
LEFT = "its script ended without a word"
STOPPED = "the server was stopped; the script trained on without it"
_CREDENTIALS = struct.Struct("3i")


class _Counts(Frozen):
    """Numbers of a network that are the same at every step; see `Trainer.header`."""

    state_count: list[int] = Field(max_length=10_000)
    weight_count: list[int] = Field(max_length=10_000)
    branch_count: list[int] = Field([], max_length=10_000)
    skip_count: list[int] = Field(max_length=10_000)
    parameters: int = Field(ge=0, le=2**53)


class _Header(Frozen):
    variants: dict[str, _Counts]
    batch_size: int = Field(ge=1, le=2**53)
    threads: int = Field(ge=1, le=100_000)
    device: str = Field(max_length=20)
    torch: str = Field(max_length=40)


class _Greeting(Frozen):
    """A guest's first line."""

    experiment: Experiment
    header: _Header
    title: str = Field("", max_length=1000)
    run: str | None = Field(None, max_length=64)
    """Of a guest whose server is gone: what that called its run."""


class Guests:
    """Lives on the engine's loop. `hear(run, [(word, rest), …])` takes the lines of a run as it takes a worker's."""

    def __init__(
        self,
        folder: Path,
        lock: threading.RLock,
        store: RunStore,
        run_events: RunEvents,
        hear: Callable[[Run, list[tuple[bytes, bytes]]], None],
    ) -> None:
        self._folder, self._lock, self._store, self._run_events, self._hear = folder, lock, store, run_events, hear
        self._here = FolderLock(folder, "watch.lock")
        self._server: asyncio.Server | None = None
        self._live: dict[str, tuple[Run, asyncio.StreamWriter]] = {}
        self._tasks: set[asyncio.Task] = set()
        self.address: Callable[[], str] = lambda: ""
        """Gives the address of the lab, to which `?run=` leads a browser; empty where it is not known."""

    async def listen(self) -> None:
        """Let scripts come in; where there can be no such socket, or another server of this folder has it, none comes."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            if hasattr(socket, "AF_UNIX") and self._here.acquire():
                path = socket_of(self._folder, make=True)
                self._server = await asyncio.start_unix_server(self._serve, path, limit=MAX_JSON)
                path.chmod(0o600)

    def close(self) -> None:
        """End every guest's run, which stays as it was recorded; for any thread, the engine's loop still going."""
        with self._lock:
            for run, _ in list(self._live.values()):
                if not run.ended:
                    self._run_events.end(run, "interrupted", STOPPED)

    async def closed(self) -> None:
        """Let go of the socket and of whoever is connected."""
        if self._server is not None:
            self._server.close()
            with contextlib.suppress(OSError):
                socket_of(self._folder).unlink()
        self._here.release()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one guest, from its first line to its last."""
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, GuestError, asyncio.CancelledError):
                await self._take(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not _is_own_user(writer.get_extra_info("socket")):
                raise GuestError("another user's script is not taken in")
            async with asyncio.timeout(GREETING_SECONDS):
                line = await _line_of(reader)
            run, last = await asyncio.to_thread(self._welcomed, line)
        except TimeoutError:
            return
        except GuestError as refused:
            writer.write(encode({"refused": str(refused)}) + b"\n")
            await writer.drain()
            raise
        address = self.address()
        self._live[run.id] = run, writer
        try:
            told = {"run": run.id, "address": f"{address}?run={run.id}" if address else "", "step": last}
            writer.write(encode(told) + b"\n")
            await writer.drain()
            await self._follow(run, reader)
        except GuestError as wrong:
            self._end(run, str(wrong))
        finally:
            self._live.pop(run.id, None)
            self._end(run, LEFT)

    def _welcomed(self, line: bytes) -> tuple[Run, int]:
        """Return the run of a guest whose first line this is, and the last step that it holds, or −1; raises `GuestError`."""
        try:
            greeting = _Greeting.kept(line)
        except ValidationError as error:
            raise GuestError(sentence(error)) from None
        except (NetworkError, RecursionError, ValueError) as error:
            raise GuestError(str(error)[:300]) from None
        experiment = greeting.experiment
        if not experiment.task.watched or greeting.header.variants.keys() != experiment.variants.keys():
            raise GuestError("a guest watches networks of its own and describes each of them")
        if (left := self._left(greeting)) is not None:
            return left, step_of(left.frames[-1]) if left.frames else -1
        run = Run(secrets.token_urlsafe(12), GUEST, experiment, state="running")
        with contextlib.suppress(ValueError):
            run.title = checked_title(greeting.title)
        run.title, run.began = run.title or title_of(experiment), experiment
        about, kind = experiment.model_dump(mode="json", exclude_defaults=True), experiment.task.kind
        measured = {"picture": kind.picture, "metric": kind.metric}
        run.header_json = encode({"experiment": about, **greeting.header.model_dump(exclude_unset=True), **measured})
        with self._lock:
            self._check_room()
            run.unsaved = self._run_events.unsaved()
            self._store.add(run)
            self._run_events.change(run, "running")
        self._store.hand_on(run)
        return run, -1

    def _left(self, greeting: _Greeting) -> Run | None:
        """Return the run that a guest began with a server that is gone, going on again; None where it is not kept, or not its."""
        run, end = None, time.monotonic() + FINDING_SECONDS
        while greeting.run is not None and time.monotonic() < end:
            try:
                run = self._store.find(greeting.run)
                break
            except StoreError:  # a server that has just begun
                time.sleep(0.1)
        with self._lock:
            if run is None or (run.owner, run.state) != (GUEST, "interrupted") or run.experiment != greeting.experiment:
                return None
            if self._store.get(run.id) is not run:
                return None
            self._check_room()
            run.ended_at = None
            self._run_events.change(run, "running")
        return run

    def _check_room(self) -> None:
        """Raise `GuestError` where no further guest is taken in."""
        if sum(not one.ended for one, _ in list(self._live.values())) >= MOST:
            raise GuestError(f"{MOST} modules are watched already, as many as may")

    async def _follow(self, run: Run, reader: asyncio.StreamReader) -> None:
        """Hand on what a guest writes until it has ended; raises `GuestError` for what is none of its lines."""
        while not run.ended and (line := await _line_of(reader)):
            self._hear(run, [checked(run, line)])
            await asyncio.sleep(0)  # others have their turn between two of its lines

    def _end(self, run: Run, reason: str) -> None:
        with self._lock:
            if not run.ended:
                self._run_events.end(run, "interrupted", reason)


async def _line_of(reader: asyncio.StreamReader) -> bytes:
    """Return the next line without its break, nothing at the end; raises `GuestError` for one that is too long."""
    try:
        line = await reader.readline()
    except ValueError:
        raise GuestError(f"a line has at most {MAX_JSON:,} bytes") from None
    return line[:-1] if line.endswith(b"\n") else b""


def _is_own_user(connection) -> bool:
    """Return whether who connected is this process's user, where the system tells."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return _CREDENTIALS.unpack(credentials)[1] == os.getuid()
