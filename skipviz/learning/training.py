"""Runs an experiment in this process, recording by the schedule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..settings import get_settings
from ..tasks.event import Event
from ..tasks.experiment import Experiment
from ..tasks.uploads import Uploads
from .frame import Frame
from .setup import as_in_a_run
from .trainer import Trainer


def train(experiment: Experiment, events: Iterable[Event] = ()) -> Iterator[Frame]:
    """Train and yield a frame at step 0, every `record_interval()` steps, at the last step and at each event's step.

    It computes with one thread and without denormals, as every run and a written script do, whatever the caller has set.
    An event acts before the forward pass of its `step` (None: step 0). Raises `NetworkError` when one cannot act. One's own
    data is found in the folder that the settings name; raises `UploadError` where it is not there.
    """
    with as_in_a_run():
        uploads = Uploads(get_settings().data_dir / "uploads") if experiment.task.own else None
        trainer = Trainer(experiment, experiment.training.device, uploads)
    waiting = sorted(events, key=lambda event: event.step or 0)
    while True:
        with as_in_a_run():  # not while a frame is looked at: what the caller computes then is none of our concern
            frame = _next_frame(trainer, waiting)
        if frame is None:
            return
        yield frame


def _next_frame(trainer: Trainer, waiting: list[Event]) -> Frame | None:
    """Take steps up to the next one that is recorded; return its frame, None when the run has finished."""
    training = trainer.experiment.training
    interval, last = training.record_interval(), training.steps - 1
    while not trainer.finished:
        acted = False
        while waiting and (waiting[0].step or 0) <= trainer.step:
            trainer.apply(waiting.pop(0))
            acted = True
        frame = trainer.advance(record=acted or trainer.step % interval == 0 or trainer.step == last)
        if frame is not None:
            return frame
    return None
