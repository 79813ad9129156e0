"""Runs an experiment in this process, recording by the schedule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..settings import get_settings
from ..tasks.event import Event
from ..tasks.experiment import Experiment, ExperimentError
from ..tasks.uploads import Uploads
from .build import NetworkModule, build
from .frame import Frame
from .seeds import Seeds, trainer_of
from .setup import as_in_a_run
from .trainer import Trainer, pick_device


class TrainingRun(Iterator[Frame]):
    """Trains while it is iterated: yields recorded frames, and has the trained weights after the last."""

    def __init__(self, experiment: Experiment, events: Iterable[Event] = ()) -> None:
        self._experiment, self._waiting = experiment, sorted(events, key=lambda event: event.step or 0)
        self._cuda = pick_device(experiment.training.device).type == "cuda"
        self._trainer: Trainer | Seeds | None = None
        self._closed = False

    def __next__(self) -> Frame:
        if self._closed:
            raise StopIteration
        try:
            with as_in_a_run(self._cuda):  # not while a frame is looked at: what the caller computes then is none of our concern
                if self._trainer is None:
                    self._trainer = _trainer(self._experiment)
                frame = _next_frame(self._trainer, self._waiting)
        except BaseException:
            self.close()
            raise
        if frame is None:
            raise StopIteration
        return frame

    def close(self) -> None:
        """Give up what is left of the training; the weights of one that is over stay."""
        self._closed = True
        if not self._is_over():
            self._trainer = None

    def model(self, variant: str | None = None) -> NetworkModule:
        """Return a new module of a variant (None: the first) with the trained weights and the switches of the end, on the CPU.

        It is in training mode, as a module just built is; of several seeds it is the first one's. The weights of a variant that
        diverged are those before the step at which it did. Raises `ExperimentError` before the training's end or where there is
        no such variant.
        """
        name = next(iter(self._experiment.variants)) if variant is None else variant
        if name not in self._experiment.variants:
            raise ExperimentError(f"there is no variant {name!r}; there is {', '.join(self._experiment.variants)}")
        if not self._is_over():
            raise ExperimentError("the training has not come to its end: take all its frames, then ask for the model")
        model = build(self._trainer.experiment.variants[name], self._experiment.training.seed)
        model.load_state_dict(self._trainer.weights(name))
        return model

    def _is_over(self) -> bool:
        return self._trainer is not None and self._trainer.finished


def train(experiment: Experiment, events: Iterable[Event] = ()) -> TrainingRun:
    """Train and yield a frame at step 0, every `record_interval()` steps, at the last step and at each event's step.

    It computes with one thread and without denormals, as every run and a written script do, whatever the caller has set.
    An event acts before the forward pass of its `step` (None: step 0). Raises `NetworkError` when one cannot act. One's own
    data is found in the folder that the settings name; raises `UploadError` where it is not there.
    """
    return TrainingRun(experiment, events)


def _trainer(experiment: Experiment) -> Trainer | Seeds:
    uploads = Uploads(get_settings().uploads_place()) if experiment.task.own else None
    return trainer_of(experiment, experiment.training.device, uploads)


def _next_frame(trainer: Trainer | Seeds, waiting: list[Event]) -> Frame | None:
    """Take steps up to the next one that is recorded; return its frame, None when the run has finished."""
    while True:
        acted = False
        while waiting and trainer.takes(waiting[0]):
            trainer.apply(waiting.pop(0))
            acted = True
        if trainer.finished:
            return None
        training = trainer.experiment.training
        scheduled = trainer.step % training.record_interval() == 0 or trainer.step == training.steps - 1
        frame = trainer.advance(record=acted or scheduled)
        if frame is not None:
            return frame
