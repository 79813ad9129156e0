"""The first page's shared run: one for all visitors, of each panel, which costs a visitor nothing. Knows no Streamlit.

It starts with the first visitor, belongs to nobody, and is shown as a recording once it has ended.
"""

from __future__ import annotations

import threading
import time
from functools import cache

from ..engine import Engine, EngineError
from ..tasks import presets
from ..tasks.experiment import Experiment

REPEATS = {"left": 1, "center": 1, "right": 6}
"""The panels of Figure 4.9 as they open, each with how often its unit is stacked."""
SPEED = 20.0
"""Steps a second of the panels: slow enough to watch, and 300 steps pass in a quarter of a minute."""
RECORD_EVERY = 3
"""Steps between two frames of the recording: a third of a megabyte a panel, and it plays smoothly."""
RETRY_SECONDS = 60.0
"""Seconds before another try where the runs could not be had, or did not last."""


@cache
def opening(panel: str) -> Experiment:
    """Return a panel's experiment as it opens."""
    return presets.figure(panel, REPEATS[panel])


class Showcase:
    """Keeps the shared runs of one engine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._runs: dict[str, str] = {}
        self._tried: float | None = None

    def runs(self, engine: Engine) -> dict[str, str]:
        """Return panel → run, started now if this is the first visitor or they are no longer kept; empty where that failed."""
        with self._lock:
            if engine is not self._engine:
                self._engine, self._runs, self._tried = engine, {}, None
            lasting = bool(self._runs) and all(_lasts(engine, run_id) for run_id in self._runs.values())
            if not lasting and (self._tried is None or time.monotonic() - self._tried > RETRY_SECONDS):
                self._tried = time.monotonic()
                self._runs = self._start(engine)
            return dict(self._runs)

    def _start(self, engine: Engine) -> dict[str, str]:
        started = {}
        for panel in REPEATS:
            experiment = opening(panel)
            recorded = experiment.replaced(training=experiment.training.replaced(record_every=RECORD_EVERY))
            try:
                started[panel] = engine.submit(recorded, None, speed=SPEED, ghost=True, house=True)
            except EngineError:
                return {}
        return started


def _lasts(engine: Engine, run_id: str) -> bool:
    run = engine.run(run_id)
    return run is not None and run.state not in ("failed", "interrupted", "stopped")


showcase = Showcase()
"""This process's own."""
