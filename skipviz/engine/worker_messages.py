"""What workers say, taken into their runs. Imports no torch."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

from ..storage import Run, RunStore
from .figures import Figures
from .run_events import RunEvents
from .scheduler import Scheduler
from .workers import Workers


class WorkerMessages:
    """Reads the lines of `wire`, on the engine's thread; `admit()` is called where a core may have become free."""

    def __init__(
        self,
        lock: threading.RLock,
        store: RunStore,
        run_events: RunEvents,
        scheduler: Scheduler,
        workers: Workers,
        counted: Figures,
        admit: Callable[[], None],
    ) -> None:
        self._lock, self._store, self._run_events, self._scheduler = lock, store, run_events, scheduler
        self._workers, self._counted, self._admit = workers, counted, admit

    def hear(self, run: Run, lines: list[tuple[bytes, bytes]]) -> None:
        """Take the lines that came together from a run's worker, and tell viewers of them once."""
        with self._lock:
            if run.ended:
                return
            self._scheduler.heard(run)
            news = False
            for word, rest in lines:
                if word == b"end":
                    self._run_events.end(run, *json.loads(rest))
                    self._workers.done(run)
                    self._admit()
                    return
                news |= self._take(run, word, rest)
            if news:
                self._run_events.tell(run)

    def _take(self, run: Run, word: bytes, rest: bytes) -> bool:
        """Take one line, and return whether it is news for who watches."""
        if word == b"frame":
            _, kind, payload = rest.split(b" ", 2)
            self._counted.frames_received += 1
            self._store.append(run, payload, keep=kind == b"1", passing=kind == b"2")
        elif word == b"at":
            self._counted.stepped(int(rest) - run.step)
            run.step = int(rest)
        elif word == b"took":
            self._scheduler.took(run, json.loads(rest))
            return False
        elif word == b"event":
            _note_acted(run, json.loads(rest))
            return False
        elif word == b"resumed":
            step, events = json.loads(rest)
            run.checkpoint_file = run.checkpoint_file if step else None
            self._store.rewind(run, step, events)
        elif word == b"checkpoint":
            run.checkpoint_file = json.loads(rest)
            self._workers.safe(run)
            self._store.note(run)
            return False
        elif word == b"state":
            self._set_state(run, json.loads(rest))
        elif word == b"header":
            run.header_json = rest
            self._workers.began(run)
            self._scheduler.began(run)
            return False
        elif word == b"diverged":
            run.diverged = json.loads(rest)
            run.mark()
        return True

    def _set_state(self, run: Run, state: str) -> None:
        reason = self._scheduler.changed(run, state)
        if run.state == "queued":
            return
        if (state, reason) != (run.state, run.reason):
            run.state, run.reason = state, reason
            run.mark()
        if state == "paused":
            self._admit()


def _note_acted(run: Run, event: dict) -> None:
    """Keep an event that acted, which waits no longer."""
    run.events.append(event)
    acted = {**event, "step": None}
    for index, waiting in enumerate(run.waiting):
        if {**waiting, "step": None} == acted:
            del run.waiting[index]
            return
