"""Where runs are kept: a narrow interface, and the store that keeps them in memory within a bound."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from .run import Run


class RunStore(Protocol):
    """What the engine asks of a store. Every method may be called from any thread."""

    def add(self, run: Run) -> None:
        """Keep a new run."""

    def get(self, run_id: str) -> Run | None:
        """Return a run and count it as used, or None where it is not, or no longer, kept."""

    def append(self, run: Run, payload: bytes, keep: bool = False, passing: bool = False) -> None:
        """Append an encoded frame to `run`; `keep` spares it when frames are thinned, a `passing` one goes with the next."""

    def runs(self) -> list[Run]:
        """Return every run, oldest first."""


class MemoryStore:
    """Keeps at most `run_bytes` of frames a run and about `total_bytes` in all: the ended runs longest unused go first."""

    OVERHEAD = 20_000
    """Bytes that a run takes beside its frames: experiment, header, bookkeeping."""

    def __init__(self, total_bytes: int, run_bytes: int) -> None:
        self._total_bytes, self._run_bytes = total_bytes, run_bytes
        self._runs: dict[str, Run] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def add(self, run: Run) -> None:
        with self._lock:
            self._runs[run.id] = run
            self._bytes += run.bytes + self.OVERHEAD
            self._evict()

    def get(self, run_id: str) -> Run | None:
        run = self._runs.get(run_id)
        if run is not None:
            run.touched = time.monotonic()
        return run

    def append(self, run: Run, payload: bytes, keep: bool = False, passing: bool = False) -> None:
        with self._lock:
            before = run.bytes
            run.add_frame(payload, keep, passing)
            if run.bytes > self._run_bytes:
                run.thin()
            if run.id in self._runs:
                self._bytes += run.bytes - before
            self._evict()

    def runs(self) -> list[Run]:
        with self._lock:
            return list(self._runs.values())

    def _evict(self) -> None:
        if self._bytes <= self._total_bytes:
            return
        for run in sorted((run for run in self._runs.values() if run.ended), key=lambda run: run.touched):
            del self._runs[run.id]
            self._bytes -= run.bytes + self.OVERHEAD
            if self._bytes <= self._total_bytes:
                return
