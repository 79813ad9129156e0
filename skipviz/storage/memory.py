"""Where runs are kept: a narrow interface, and the store that keeps them in memory within a bound."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from .listing import listing_of
from .run import Run


class StoreError(RuntimeError):
    """What is kept cannot be read or changed now; one sentence."""


class StoreTimeoutError(StoreError):
    """No answer came in time."""


class RunStore(Protocol):
    """What the engine asks of a store. Every method may be called from any thread; those that `may wait` for a disk say so."""

    trouble: str | None
    """One sentence on why nothing is being written at present, or None."""

    def start(self) -> None:
        """Begin to keep runs; once is enough."""

    def add(self, run: Run) -> None:
        """Keep a new run, or one that goes on."""

    def look(self) -> None:
        """Take what other servers have in line and under way, where there are others; may wait a moment."""

    def hand_on(self, run: Run) -> None:
        """Let a new run be found again even if this process is killed the next moment; may wait a moment."""

    def get(self, run_id: str) -> Run | None:
        """Return a run that is in memory and count it as used, or None."""

    def find(self, run_id: str) -> Run | None:
        """Return a run, None where it is not, or no longer, kept; may wait. Raises `StoreError`."""

    def append(self, run: Run, payload: bytes, keep: bool = False, passing: bool = False) -> None:
        """Append an encoded frame to `run`; `keep` spares it when frames are thinned, a `passing` one goes with the next."""

    def note(self, run: Run) -> None:
        """Hear that something about `run` has changed."""

    def rewind(self, run: Run, step: int, events: int) -> None:
        """Take back what `run` recorded from `step` on; see `Run.rewind`."""

    def runs(self) -> list[Run]:
        """Return every run in memory, oldest first."""

    def listed(self, owner: str) -> list[dict]:
        """Return what a list shows of an owner's runs, newest first; may wait. Raises `StoreError`."""

    def owner_and_state(self, run_id: str) -> tuple[str, str] | None:
        """Return whose a run is and its state; may wait. Raises `StoreError`."""

    def rename(self, run_id: str, title: str) -> None:
        """Give a run another title; may wait. Raises `StoreError`."""

    def claim(self, run_id: str) -> bool:
        """Make an ended run in memory this server's own, so that it may go on, as it is by now; may wait. Raises `StoreError`.

        Return False where it goes on at another server.
        """

    def refresh(self, run_id: str) -> Run | None:
        """Return a run as it is written, whoever wrote it, also where another is in memory, whose place it takes; may wait.

        Raises `StoreError`.
        """

    def delete(self, run_id: str) -> None:
        """Forget an ended run and all that was written of it; may wait. Raises `StoreError`."""

    def checkpoints(self, run_id: str) -> str | None:
        """Return the folder or URL for a run's checkpoints, or None where none are kept."""

    def close(self) -> None:
        """Finish writing; may wait. The store is of no use afterwards."""


class MemoryStore:
    """Keeps at most `run_bytes` of frames a run and about `total_bytes` in all: the ended runs longest unused go first."""

    OVERHEAD = 20_000
    """Bytes that a run takes beside its frames: experiment, header, bookkeeping."""
    trouble: str | None = None

    def __init__(self, total_bytes: int, run_bytes: int) -> None:
        self._total_bytes, self._run_bytes = total_bytes, run_bytes
        self._runs: dict[str, Run] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def start(self) -> None:
        return

    def add(self, run: Run) -> None:
        with self._lock:
            before = self._runs.get(run.id)
            if before is not run:
                self._runs[run.id] = run
                self._bytes += run.bytes - before.bytes if before else run.bytes + self.OVERHEAD
                self._evict(run)

    def look(self) -> None:
        return

    def hand_on(self, run: Run) -> None:
        return

    def get(self, run_id: str) -> Run | None:
        run = self._runs.get(run_id)
        if run is not None:
            run.touched = time.monotonic()
        return run

    def find(self, run_id: str) -> Run | None:
        return self.get(run_id)

    def append(self, run: Run, payload: bytes, keep: bool = False, passing: bool = False) -> None:
        with self._lock:
            before = run.bytes
            run.add_frame(payload, keep, passing)
            if run.bytes > self._run_bytes and not passing:
                run.thin()
            if run.id in self._runs:
                self._bytes += run.bytes - before
            self._evict(run)

    def note(self, run: Run) -> None:
        return

    def rewind(self, run: Run, step: int, events: int) -> None:
        with self._lock:
            before = run.bytes
            run.rewind(step, events)
            if run.id in self._runs:
                self._bytes += run.bytes - before

    def runs(self) -> list[Run]:
        with self._lock:
            return list(self._runs.values())

    def listed(self, owner: str) -> list[dict]:
        return [listing_of(run) for run in reversed(self.runs()) if run.owner == owner]

    def owner_and_state(self, run_id: str) -> tuple[str, str] | None:
        run = self.get(run_id)
        return None if run is None else (run.owner, run.state)

    def rename(self, run_id: str, title: str) -> None:
        run = self.get(run_id)
        if run is not None:
            run.title = title

    def claim(self, run_id: str) -> bool:
        return True

    def refresh(self, run_id: str) -> Run | None:
        return self.get(run_id)

    def delete(self, run_id: str) -> None:
        with self._lock:
            run = self._runs.pop(run_id, None)
            if run is not None:
                self._bytes -= run.bytes + self.OVERHEAD

    def checkpoints(self, run_id: str) -> str | None:
        return None

    def close(self) -> None:
        return

    def _may_go(self, run: Run) -> bool:
        """Return whether an ended run may be forgotten."""
        return True

    def _evict(self, used: Run) -> None:
        """Forget ended runs, but the one just used, until the rest has room."""
        if self._bytes <= self._total_bytes:
            return
        ended = (run for run in self._runs.values() if run.ended and run is not used)
        for run in sorted(ended, key=lambda run: run.touched):
            if not self._may_go(run):
                continue
            del self._runs[run.id]
            self._bytes -= run.bytes + self.OVERHEAD
            if self._bytes <= self._total_bytes:
                return
