"""A run of another server, as that one writes it. Imports no torch and no streamlit."""

from __future__ import annotations

import json
from typing import Any

from ..tasks.experiment import Experiment
from .record import FACTS
from .run import Run

SHOWN = ("took", "turn", "ahead", "wait", "labelled")
"""What is written of a live run for other servers alone, beside what makes it whole again."""


def shown(run: Run) -> dict[str, Any]:
    """Return what other servers show of a live run beside what makes it whole again."""
    return {name: getattr(run, name) for name in SHOWN}


class Mirror:
    """Keeps a run at what another server has written of it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._now: str | None = None
        """The run's experiment as that server wrote it last."""
        self._edits = run.edits
        """The version of the experiment that is shown."""

    def posted(self, experiment: Experiment, edits: int) -> None:
        """Show what that server has taken and not yet written: the experiment of a version."""
        if edits > self._edits:
            self.run.experiment, self._edits = experiment, edits

    def bring_up(self, row: dict[str, Any], frames: list[tuple[int, bool, bytes]], header: bytes) -> None:
        """Take the run's row, and the frames as (place, keep, payload) that it lacks; edition and base are still the same."""
        run, facts = self.run, json.loads(row["facts"])
        run.header_json = run.header_json or header or None
        run.title, run.checkpoint_file, run.restart = row["title"], row["checkpoint_file"], bool(row["restart"])
        led = facts.pop("led", run.led)
        for written, name in FACTS.items():
            setattr(run, name, facts.get(written, getattr(run, name)))
        run.labelled = facts.get("labelled", 0)
        if run.edits >= self._edits:
            self._edits = run.edits
            self._take_experiment(facts.get("now"))
        run.led = led  # after the experiment, which has it all

        def set_state() -> None:
            run.took, run.turn, run.ahead, run.wait = (facts.get(name) for name in SHOWN[:4])
            run.ended_at, run.step = row["ended"], row["step"]
            run.state, run.reason = row["state"], row["reason"]

        run.catch_up(facts, frames, set_state)

    def _take_experiment(self, now: str | None) -> None:
        if now is None or now == self._now:
            return
        self._now, experiment = now, Experiment.kept(now)
        if experiment != self.run.experiment:
            self.run.experiment = experiment
