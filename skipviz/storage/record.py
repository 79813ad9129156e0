"""A run as it is written down, and made whole again."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

from ..tasks.experiment import Experiment
from .folder import checkpoint_step
from .run import Run
from .summary import summary_of

_SAME = "speed", "paused", "events", "waiting", "diverged", "trained", "moved", "led"
FACTS = {"ghost": "baseline"} | {name: name for name in _SAME}
"""Names in files → a run's."""


@dataclass(frozen=True)
class Record:
    """What is new of a run: its row of the table, and frames as (place, keep, payload)."""

    row: dict[str, Any]
    places: int
    frames: list[tuple[int, bool, bytes]]
    experiment: bytes
    header: bytes | None


class Recorder:
    """Says what is new of one run; what follows from its experiment is worked out once for each."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._began = run.began or run.experiment
        self._experiment = self._began.to_json().encode()
        self._now: Experiment | None = None
        self._summary: dict = {}
        self._changed: dict = {}

    def record(self, place: int, edition: int, lock: Lock) -> Record:
        """Return what is new for whoever has the frames of this edition up to `place`; `lock` guards the run's frames."""
        run = self.run
        while True:
            row = _row(run)  # before the frames, so that a checkpoint never stands beside fewer frames than lead to it
            with lock:
                edition_now = run.edition
                places, frames = run.since(place if edition == edition_now else 0)
                counts = run.count_facts()
            if row["state"] == run.state:  # else the count may hold a change of state that the row does not
                break
        facts = {written: getattr(run, name) for written, name in FACTS.items()} | counts
        if run.experiment is not self._now:  # after what waits to act on it
            self._now = now = run.experiment
            self._summary = summary_of(now)
            self._changed = {} if now is self._began else {"now": now.to_json()}
        facts |= self._changed
        row |= {"edition": edition_now, "summary": {**self._summary, "steps": run.steps}, "facts": facts}
        return Record(row, places, frames, self._experiment, run.header_json)


def _row(run: Run) -> dict[str, Any]:
    file = run.checkpoint_file
    return {
        "owner": run.owner,
        "title": run.title,
        "created": run.created,
        "ended": run.ended_at if run.ended else None,
        "state": run.state,
        "reason": run.reason,
        "restart": int(run.restart),
        "step": run.step,
        "checkpoint": checkpoint_step(file) if file else None,
        "checkpoint_file": file,
    }


def run_from(row: dict[str, Any], frames: list[tuple[int, bool, bytes]], experiment: bytes, header: bytes) -> Run:
    """Return the run that a row of the table, its frames, experiment and header make."""
    facts = json.loads(row["facts"])
    began = Experiment.kept(experiment)
    now = Experiment.kept(facts["now"]) if "now" in facts else began
    began = began if began.labels == now.labels else began.labelled(now.labels)  # which may have been given since it was written
    run = Run(row["id"], row["owner"], now, title=row["title"], began=began, header_json=header or None)
    for written, name in FACTS.items():
        setattr(run, name, facts.get(written, getattr(run, name)))
    for name in ("created", "state", "reason", "step", "checkpoint_file", "edition"):
        setattr(run, name, row[name])
    run.ended_at, run.restart, run.touched = row["ended"], bool(row["restart"]), time.monotonic()
    run.event_bytes = len(json.dumps([*run.events, *run.waiting]))
    run.restore(facts, frames)
    return run
