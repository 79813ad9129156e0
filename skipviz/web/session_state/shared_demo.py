"""The first page's shared run: one for all visitors, of each panel, which costs a visitor nothing. Knows no Streamlit.

It starts with the first visitor, belongs to nobody, and is shown as a recording once it has ended. Where it cannot start, what
was recorded before stays, and a sentence says why.
"""

from __future__ import annotations

import threading
import time
from functools import cache

from ...engine import Engine, EngineError
from ...tasks import presets
from ...tasks.experiment import Experiment
from ...tasks.twin import with_twin

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
    return repeated(panel, REPEATS[panel])


def repeated(panel: str, repeat: int) -> Experiment:
    """Return a panel's experiment with its unit stacked `repeat` times, and with its twin."""
    return with_twin(presets.figure(panel, repeat))


class SharedDemo:
    """Keeps the shared runs of one engine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._runs: dict[str, str] = {}
        self._tried: float | None = None
        self._refused = ""

    def runs(self, engine: Engine) -> dict[str, str]:
        """Return panel → run; what does not last is started now, and where that is refused, what there was of it stays."""
        with self._lock:
            if engine is not self._engine:
                self._engine, self._runs, self._tried, self._refused = engine, {}, None, ""
            lacking = [panel for panel in REPEATS if not _lasts(engine, self._runs.get(panel))]
            if lacking and (self._tried is None or time.monotonic() - self._tried > RETRY_SECONDS):
                self._tried = time.monotonic()
                self._start(engine, lacking)
            elif not lacking:
                self._refused = ""
            return {panel: run_id for panel, run_id in self._runs.items() if engine.run(run_id) is not None}

    def known(self) -> dict[str, str]:
        """Return panel → run as last seen, and start none."""
        with self._lock:
            return dict(self._runs)

    def absence(self, engine: Engine) -> str | None:
        """Return one sentence on why not every panel shows a run, or None where each does."""
        if not self._refused or len(self.runs(engine)) == len(REPEATS):
            return None
        return f"The shared run could not start: {self._refused}. What is drawn was measured before any training."

    def _start(self, engine: Engine, panels: list[str]) -> None:
        self._refused = ""
        for panel in panels:
            experiment = opening(panel)
            recorded = experiment.replaced(training=experiment.training.replaced(record_every=RECORD_EVERY))
            try:
                self._runs[panel] = engine.submit(recorded, None, speed=SPEED, demo=True)
            except EngineError as error:
                self._refused = str(error).partition(":")[0]  # without the advice, which is for who may change the experiment
                return


def _lasts(engine: Engine, run_id: str | None) -> bool:
    run = engine.run(run_id) if run_id else None
    return run is not None and run.state not in ("failed", "interrupted", "stopped")


shared_demo = SharedDemo()
"""This process's own."""
