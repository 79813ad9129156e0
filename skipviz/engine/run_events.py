"""Where a run's changes are written down and who hears of them. Imports no torch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ..storage import Run, RunStore
from .listeners import Listeners


class RunEvents:
    """Sets runs' states and tells the store and whoever listens. `subscribe` may be called from anywhere, the rest under `lock`."""

    def __init__(self, store: RunStore, lock: threading.RLock) -> None:
        self._store, self._lock = store, lock
        self._listeners = Listeners()
        self.at_end: tuple[Callable[[Run], None], ...] = ()
        """What is done with a run that has ended, before anybody is told."""

    def change(self, run: Run, state: str, reason: str | None = None) -> None:
        """Set a run's state and the reason for it."""
        run.state, run.reason = state, reason
        if state != "queued":
            run.ahead = run.wait = None
        run.mark()
        if run.ended:
            run.ended_at = time.time()
            for done in self.at_end:
                done(run)
        self.tell(run)

    def end(self, run: Run, state: str, reason: str | None) -> None:
        """Let a run end; one that is stopped keeps the reason that was there for stopping it."""
        self.change(run, state, reason or (run.reason if state == "stopped" else None))

    def tell(self, run: Run) -> None:
        """Say that something about a run has changed."""
        self._store.note(run)
        self._listeners.tell(run.id)

    def subscribe(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call `listener(run_id)` after every change; returns the way to end that."""
        return self._listeners.subscribe(listener)

    def unsaved(self) -> str | None:
        """Return what a live run's page says while nothing is written, or None."""
        return None if self._store.trouble is None else f"not being saved: {self._store.trouble}"

    def note_trouble(self, sentence: str | None) -> None:
        """Say on every live run's page that it is not being saved, or no longer so; called by the store."""
        with self._lock:
            words = self.unsaved()
            for run in self._store.runs():
                if not run.ended or run.unsaved:
                    run.unsaved = words
                    run.mark()
                    self.tell(run)
