"""What a run's owner does to it while it lives: events and controls, checked and handed on. Imports no torch."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Iterable

from ..network.base import NetworkError, Tagged
from ..storage import Run, RunStore
from ..storage.run import GUEST
from ..tasks.event import Control, Event, StepsEvent, applied, message_from
from .capacity import budget
from .errors import EngineError
from .processes.wire import encode
from .run_events import RunEvents
from .scheduler import Scheduler
from .workers import Workers

MOST_LEADING = 20
"""Labs of which a run knows how far it has heard them, those that led it last."""


class Controls:
    """Takes messages from any thread; `admit()` is called where one may have made a core free, or want one."""

    def __init__(
        self,
        lock: threading.RLock,
        store: RunStore,
        run_events: RunEvents,
        scheduler: Scheduler,
        workers: Workers,
        admit: Callable[[], None],
    ) -> None:
        self._lock, self._store, self._run_events = lock, store, run_events
        self._scheduler, self._workers, self._admit = scheduler, workers, admit

    def post(self, run: Run, owner: str | None, message) -> dict:
        """Pass an event or control (or its JSON data) to a run and return `{"ok": True, "step": …}`.

        Raises `EngineError`: not the owner, an ended run, or a message that does not fit the run.
        """
        check_owner(run, owner)
        try:
            message = message if isinstance(message, Tagged) else message_from(message)
            with self._lock:
                if self._accepts(run, message):
                    self._pass(run, message)
        except NetworkError as error:
            raise EngineError(str(error)) from None
        return {"ok": True, "step": run.step}

    def lead(self, run: Run, owner: str | None, events: Iterable[Event], lab: str, since: int, version: int) -> None:
        """Pass what a lab's document of a version does to a run, without what the run refuses; it has heard it all then, where it
        had heard all up to the version `since`. Raises `EngineError`: not the owner.
        """
        check_owner(run, owner)
        with self._lock:
            for event in events:
                with contextlib.suppress(EngineError, NetworkError):
                    self._accepts(run, event)
                    self._pass(run, event)
            if since <= run.led.get(lab, 0) < version:
                others = [(name, heard) for name, heard in run.led.items() if name != lab]
                run.led = dict([*others[1 - MOST_LEADING :], (lab, version)])  # after the experiment, which has it all
            self._run_events.tell(run)

    def label(self, run: Run, owner: str | None, labels: dict[str, str]) -> None:
        """Give the networks of a run, which may have ended, other labels. Raises `EngineError`: not the owner."""
        check_owner(run, owner)
        with self._lock:
            if labels != run.experiment.labels:
                run.label(labels)
                self._run_events.tell(run)

    def _accepts(self, run: Run, message: Event | Control) -> bool:
        """Keep what a message sets, and return whether a worker is to hear it."""
        begins_with = run.restart and not isinstance(message, Control)  # it goes on by itself
        if run.ended and not begins_with:
            if isinstance(message, Control) and message.kind in ("stop", "speed", "ghost"):
                self._note_ended(run, message)
                return False
            raise EngineError(f"this run has ended ({run.state})", 409)
        self._check_hearing(run, message)
        if isinstance(message, StepsEvent):
            raise EngineError("a run that goes on takes the steps that it was begun with", 409)
        if not isinstance(message, Control):
            run.experiment = applied(run.experiment, message)
            return True
        self._note(run, message)
        heard = not run.ended and self._scheduler.passes(run, message)
        self._admit()
        return heard

    def _check_hearing(self, run: Run, message: Event | Control) -> None:
        """Raise `EngineError` where a run has more to hear than is kept for it; a stop is always heard."""
        waits, control = self._workers.unheard(run), isinstance(message, Control)
        full = budget.full(waits, 0) if control else budget.full(max(waits, len(run.waiting)), run.event_bytes)
        if full and message.kind != "stop":
            raise EngineError(full, 413)

    def _pass(self, run: Run, message: Event | Control) -> None:
        data = message.model_dump(mode="json", exclude_none=True)
        if not isinstance(message, Control):
            run.event_bytes += len(encode(data))
            run.waiting.append(data)
            if run.state == "queued":  # what acts now is told with its frame
                run.mark()
                self._run_events.tell(run)
        self._store.note(run)
        if self._workers.post(run, data):
            self._scheduler.asked(run, data)

    def _note_ended(self, run: Run, control: Control) -> None:
        """Keep of a run that has ended how it is to go on, should it."""
        if control.kind != "stop":
            self._note(run, control)
            self._store.note(run)

    def _note(self, run: Run, control: Control) -> None:
        """Keep what a control sets, for viewers and for a run that has no worker yet."""
        if control.kind == "speed":
            run.speed = control.steps_per_second
        elif control.kind == "ghost":
            run.baseline = control.ghost
        elif control.kind in ("pause", "resume"):
            run.paused = control.kind == "pause"
        elif control.kind == "step":
            run.paused = True
        elif run.state == "queued" and run not in self._workers:
            self._run_events.change(run, "stopped")


def check_owner(run: Run, owner: str | None) -> None:
    """Raise `EngineError` where a run is not `owner`'s."""
    if run.owner == GUEST:
        raise EngineError("this run is a script's own: nobody but the script that trains it controls it", 403)
    if not owner or not secrets.compare_digest(run.owner.encode(), owner.encode()):
        raise EngineError("only the browser that started this run may control it", 403)
