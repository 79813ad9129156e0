"""How far a run has come: its step, the events that acted, what diverged. All that trains a run is one."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import torch

from ..tasks.event import Event, StepsEvent
from ..tasks.experiment import Experiment
from .frame import Frame, VariantFrame

HELD_OUT_TIMES = 30
"""How often in a run the held-out metric is taken, besides first and last: at the first frame since then that is kept."""
HELD_OUT_SAMPLES = 512
"""At most so many held-out samples are used, so that the metric stays cheap."""


class Progress:
    """What a run's trainers have in common; `experiment` has every event applied that acted."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.step = self.applied = 0
        """The next step, and the events that have acted so far."""
        self.diverged: dict[str, dict] = {}
        self.early: Callable[[Frame], None] | None = None
        """Called once, with the next frame before it has what costs passes of its own; where nothing does, not at all."""
        self._events: list[dict] = []
        self._next_held_out = 0
        self._began = monotonic()

    @property
    def finished(self) -> bool:
        """Whether the steps are used up or every variant has diverged."""
        return self.step >= self.experiment.training.steps or len(self.diverged) == len(self.experiment.variants)

    @property
    def unshown(self) -> list[dict]:
        """Events that acted and that no frame has shown yet."""
        return list(self._events)

    def takes(self, event: Event) -> bool:
        """Return whether `event` acts now: its step has come, and the run is not over or goes on by it."""
        return (event.step or 0) <= self.step and (not self.finished or isinstance(event, StepsEvent))

    def _acted(self, event: Event, experiment: Experiment) -> None:
        """Note that `event` has acted, by which the experiment is this one now."""
        self.experiment = experiment
        self.applied += 1
        self._events.append({**event.model_dump(mode="json", exclude_none=True), "step": self.step})

    def _check_left(self) -> None:
        """Raise `RuntimeError` where the run has finished."""
        if self.finished:
            raise RuntimeError("the run has finished: there is no step left to take")

    def _is_held_out_due(self) -> bool:
        return self.step >= self._next_held_out or self.step == self.experiment.training.steps - 1

    def _held_out_taken(self) -> None:
        """Note that what is held out was measured at this step, on its schedule."""
        interval = max(1, self.experiment.training.steps // HELD_OUT_TIMES)
        self._next_held_out = (self.step // interval + 1) * interval

    def _made(self, frames: dict[str, VariantFrame]) -> Frame:
        """Return a frame of this step, which shows all events that acted."""
        events, self._events = self._events, []
        return Frame(self.step, frames, events, monotonic() - self._began)

    def _facts(self) -> dict:
        """Return what of it a checkpoint keeps, as JSON data."""
        return {
            "experiment": self.experiment.to_json(),
            "step": self.step,
            "diverged": self.diverged,
            "events": self._events,
            "applied": self.applied,
            "seconds": monotonic() - self._began,
            "next_held_out": self._next_held_out,
        }


def run_header(experiment: Experiment, counts: dict[str, dict], batch_size: int, device: str) -> dict:
    """Return the part of a run's header that hangs on no data; `counts`: elements that norms are taken over, by variant."""
    accumulation = experiment.training.accumulation
    return {
        "experiment": experiment.model_dump(mode="json", exclude_defaults=True),
        "variants": counts,
        "batch_size": batch_size,
        **({"accumulation": accumulation} if accumulation > 1 else {}),
        "threads": torch.get_num_threads(),
        "device": device,
        "torch": torch.__version__.partition("+")[0],
        "picture": experiment.task.kind.picture,
        "metric": experiment.task.kind.metric,
    }
