"""How runs go on that had ended: because a person says so, or by themselves once a stopped server is back. Imports no torch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ..storage import Run
from .entrance import Entrance
from .errors import EngineError, unknown
from .register import Register
from .shelf import Shelf

GO_ON_WITHIN = 24 * 3600.0
"""Seconds after a server's stop within which its runs go on by themselves when it is back; later a person decides."""
STOPPED = "the server was restarted; the run goes on by itself"
"""Why a run is interrupted that an orderly stop ended."""


class Resumption:
    """Puts ended runs in line again. `line_up(run, device)` lets one wait its turn."""

    def __init__(
        self,
        lock: threading.RLock,
        register: Register,
        shelf: Shelf,
        entrance: Entrance,
        line_up: Callable[[Run, str], None],
    ) -> None:
        self._lock, self._register, self._shelf, self._entrance, self._line_up = lock, register, shelf, entrance, line_up

    def resume(self, run_id: str, owner: str | None, address: str | None = None) -> dict:
        """Let an interrupted, failed or stopped run go on from its last checkpoint; return `{"ok": True, "step": …}`.

        It counts as a start of a run, and waits in line like one.

        Raises `EngineError`; 409 for a run that goes on already or has nothing to go on from.
        """
        self._shelf.owned(run_id, owner)
        run = self._shelf.look_up(run_id)
        with self._lock:
            if not self._shelf.holds(run):
                raise unknown()
            if not run.ended:
                raise EngineError("this run goes on already", 409)
            if not run.resumable:
                raise EngineError(f"this run has ended ({run.state}): there is nothing to go on from", 409)
            self._entrance.check_time(run)
            self._entrance.check_turn(run.owner, address)
            self._go_on(run, paused=False)
        return {"ok": True, "step": run.checkpoint or 0}

    def restart(self, run_ids: list[str]) -> None:
        """Let runs go on that an orderly stop interrupted; called by the store, so the waiting is done elsewhere."""

        def go_on() -> None:
            for run_id in run_ids:
                try:
                    run = self._shelf.look_up(run_id)
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
            self._register.change(run, "interrupted", str(error))

    def _go_on(self, run: Run, paused: bool) -> None:
        """Put an ended run in line again; what it had recorded beyond its checkpoint is taken back when its worker is there."""
        self._entrance.check_open()
        began = run.began or run.experiment
        device = self._entrance.device(began)
        if device is None:
            raise EngineError("this machine has no CUDA device that a run may take, and this run needs one", 409)
        self._entrance.check_size(began, device)
        run.paused, run.restart, run.ended_at = paused, False, None
        self._line_up(run, device)
