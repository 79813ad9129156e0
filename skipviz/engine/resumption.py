"""How runs go on that had ended: because a person says so, or by themselves once a stopped server is back. Imports no torch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from ..network.base import NetworkError
from ..storage import Run
from ..tasks.event import Event, StepsEvent, applied
from .catalogue import RunCatalogue
from .errors import EngineError, unknown
from .processes.wire import encode
from .run_events import RunEvents
from .submission_checks import SubmissionChecks

GO_ON_WITHIN = 24 * 3600.0
"""Seconds after a server's stop within which its runs go on by themselves when it is back; later a person decides."""
STOP_WITHIN = 4.0
"""Seconds that a run which is told to stop is waited for: longer than its worker is let be."""
STOPPED = "the server was restarted; the run goes on by itself"
"""Why a run is interrupted that an orderly stop ended."""

TAKEN = "another server has taken this run over"


class Resumption:
    """Puts ended runs in line again: `line_up(run, device)` lets one wait its turn, `stops(run)` says whether it is to stop.

    `abandon(run, reason, state)` ends one here that another server has taken over.
    """

    def __init__(
        self,
        lock: threading.RLock,
        run_events: RunEvents,
        catalogue: RunCatalogue,
        submission_checks: SubmissionChecks,
        line_up: Callable[[Run, str], None],
        stops: Callable[[Run], bool],
        abandon: Callable[[Run, str, str], None],
    ) -> None:
        self._lock, self._run_events, self._catalogue, self._submission_checks = lock, run_events, catalogue, submission_checks
        self._line_up, self._stops, self._abandon = line_up, stops, abandon

    def resume(self, run_id: str, owner: str | None, address: str | None = None) -> dict:
        """Let an interrupted, failed or stopped run go on from its last checkpoint; return `{"ok": True, "step": …}`.

        One that is told to stop is waited for: a page says so at once, and whoever looks at it may change their mind.
        It counts as a start of a run, and waits in line like one.

        Raises `EngineError`; 409 for a run that goes on already or has nothing to go on from.
        """
        self._catalogue.owned(run_id, owner)
        self._wait_for_stop(self._catalogue.look_up(run_id))
        run = self._catalogue.claim(run_id)
        with self._lock:
            if not self._catalogue.holds(run):
                raise unknown()
            if not run.ended:
                raise EngineError("this run goes on already", 409)
            if not run.resumable:
                raise EngineError(f"this run has ended ({run.state}): there is nothing to go on from", 409)
            self._submission_checks.check_time(run)
            self._submission_checks.check_turn(run.owner, address)
            self._go_on(run, paused=False)
        return {"ok": True, "step": run.checkpoint or 0}

    def extend(self, run_id: str, owner: str | None, events: Iterable[Event], address: str | None = None) -> dict:
        """Let a finished run go on from its last weights for as many steps as it was begun with; `events` act before the first.

        Return `{"ok": True, "step": …, "steps": …}`: where it goes on, and how many steps it takes in all then. It is a start
        of a run as `resume` is. Raises `EngineError`; 409 where its last weights are not kept, or it may take no more steps.
        """
        self._catalogue.owned(run_id, owner)
        self._catalogue.look_up(run_id)
        run = self._catalogue.claim(run_id)
        kept = run.state == "finished" and self._catalogue.checkpoint(run).exists()
        with self._lock:
            if not self._catalogue.holds(run):
                raise unknown()
            if run.state != "finished":
                raise EngineError(f"this run has not taken all its steps ({run.state})", 409)
            if not kept:
                raise EngineError("the last weights of this run are no longer kept", 409)
            experiment, step = run.experiment, run.step
            try:
                for event in events:
                    experiment = applied(experiment, event)
            except NetworkError as error:
                raise EngineError(str(error)) from None
            self._submission_checks.check_time(run)
            longer = StepsEvent(step=step, steps=self._submission_checks.more_steps(run))
            self._submission_checks.check_turn(run.owner, address)
            self._go_on(run, paused=False, more=[longer, *events])
            run.experiment = experiment
        return {"ok": True, "step": step, "steps": longer.steps}

    def _wait_for_stop(self, run: Run) -> None:
        changed = threading.Event()
        leave = self._run_events.subscribe(lambda _: changed.set())
        end = time.monotonic() + STOP_WITHIN
        try:
            while not run.ended and self._stops(run) and time.monotonic() < end:
                changed.wait(0.1)
                changed.clear()
        finally:
            leave()

    def lost(self, run_ids: list[str]) -> None:
        """Leave runs to the server that has taken them over, and show them as that one writes them; called by the store."""

        def leave() -> None:
            for run_id in run_ids:
                try:
                    run = self._catalogue.look_up(run_id)
                    with self._lock:
                        if not run.ended:
                            self._abandon(run, TAKEN, "interrupted")
                    run = self._catalogue.refresh(run_id)
                except EngineError:
                    continue
                with self._lock:
                    self._run_events.tell(run)

        threading.Thread(target=leave, name="skipviz-lost", daemon=True).start()

    def restart(self, run_ids: list[str]) -> None:
        """Let runs go on that an orderly stop interrupted, or a server that is gone left; called by the store, so the waiting is
        done elsewhere."""

        def go_on() -> None:
            for run_id in run_ids:
                try:
                    run = self._catalogue.refresh(run_id)
                except EngineError:
                    continue
                with self._lock:
                    if run.restart and run.state == "interrupted":
                        self._restart_one(run)

        threading.Thread(target=go_on, name="skipviz-restart", daemon=True).start()

    def _restart_one(self, run: Run) -> None:
        try:
            if time.time() - (run.ended_at or 0) > GO_ON_WITHIN:
                raise EngineError("the server was away for more than a day")
            self._go_on(run, paused=run.paused)
        except EngineError as error:
            run.restart = False
            self._run_events.change(run, "interrupted", str(error))

    def _go_on(self, run: Run, paused: bool, more: Iterable[Event] = ()) -> None:
        """Put an ended run in line again, `more` before all that waits to act.

        What it had recorded beyond its checkpoint is taken back when its worker is there.
        """
        self._submission_checks.check_open()
        began = run.began or run.experiment
        self._submission_checks.check_trainable(began)
        device = self._submission_checks.device(began, (run.header or {}).get("device"))
        if device is None:
            raise EngineError("this machine has no CUDA device that a run may take, and this run needs one", 409)
        self._submission_checks.check_size(began, device)
        run.waiting[:0] = data = [event.model_dump(mode="json", exclude_none=True) for event in more]
        run.event_bytes += sum(len(encode(event)) for event in data)
        run.paused, run.restart, run.ended_at = paused, False, None
        self._line_up(run, device)
