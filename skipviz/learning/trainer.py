"""Trains an experiment's variants in lockstep and measures them when asked."""

from __future__ import annotations

from time import monotonic

import numpy as np
import torch
from torch import Tensor

from ..network.base import NetworkError, elements
from ..tasks.data import Data, dataset
from ..tasks.event import Event, SkipEvent, applied
from ..tasks.experiment import Experiment, ExperimentError, experiment_from_json
from ..tasks.metric import METRICS as KINDS
from ..tasks.split import HELD_OUT_SHARE
from ..tasks.uploads import Uploads
from .batches import Batches
from .checkpoint import CheckpointError, pack, restore_variant, unpack, variant_tensors, weight_shapes
from .frame import Frame, VariantFrame
from .metric import METRICS
from .metric.accuracy import balanced, recalls
from .objective import finite, objective
from .passes import Batch
from .picture import Painter, plane
from .progress import HELD_OUT_SAMPLES, Progress, run_header
from .setup import give_freed_memory_back
from .variant import Variant

POINTS_SHOWN = 1000


def pick_device(wanted: str) -> torch.device:
    """Return the device for `auto`, `cpu` or `cuda`; auto takes CUDA where there is one."""
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(wanted)


class Trainer(Progress):
    """A run of an experiment. `step` is the next step to take; `experiment` has all applied events folded in.

    Raises `UploadError` where it is one's own data and `uploads` has not got it.
    """

    def __init__(
        self, experiment: Experiment, device: str = "cpu", uploads: Uploads | None = None, data: Data | None = None
    ) -> None:
        super().__init__(experiment)
        self.device = pick_device(device)
        task, training = experiment.task, experiment.training
        self._data = data = data or dataset(task, uploads)
        self._x, self._y, self.held_out_x, self._held_out_y = (
            torch.from_numpy(part).to(self.device)
            for part in (data.x, data.y, data.held_out_x[:HELD_OUT_SAMPLES], data.held_out_y[:HELD_OUT_SAMPLES])
        )
        self.batches = Batches(len(self._x), training.batch_size, training.seed)
        loss, self._metric = objective(experiment, self._y), METRICS[task.kind.metric]
        self._variants = {
            name: Variant(network, training, self.device, loss, self._metric) for name, network in experiment.variants.items()
        }
        self._painter = Painter(task, data, self.device)
        self._at: tuple[int, list[Batch]] | None = None
        self.paints = True
        """Whether frames have the picture that is asked for; else they have all that goes with one."""
        self.picture_seconds = 0.0
        """Seconds that the last picture took, with the held-out metric beside it."""
        self._began = monotonic()

    def header(self) -> dict:
        """Return what a viewer needs once: the experiment, element counts, data. RMS = norm / √count of a frame's norms."""
        task, size, accumulation = self.experiment.task, self.batches.size, self.experiment.training.accumulation
        counts = {name: _counts(variant, size * accumulation) for name, variant in self._variants.items()}
        header = run_header(self.experiment, counts, size, self.device.type)
        header |= {"train_samples": len(self._data.x), "held_out_samples": len(self._data.held_out_x)}
        if KINDS[task.kind.metric].by_class:
            header["class_counts"] = np.bincount(self._data.y.ravel(), minlength=task.kind.outputs).tolist()
        if task.own and task.own.classes:
            header["classes"] = list(task.own.classes)
        if task.kind.picture in ("boundary", "curve"):
            header["points"] = _points(self._data)
        return header

    def apply(self, event: Event) -> None:
        """Let `event` act before the next step; raises `NetworkError` and changes nothing if it cannot."""
        experiment = applied(self.experiment, event)
        for name, variant in self._variants.items():
            if experiment.variants[name] is not variant.network:
                variant.set_network(experiment.variants[name])
                if isinstance(event, SkipEvent) and event.strength is not None:
                    variant.set_strengths(event.ids, event.strength)
            variant.training = experiment.training
        self._acted(event, experiment)

    def advance(self, record: bool, baseline: bool = False, picture: bool = False, passing: bool = False) -> Frame | None:
        """Take one step with every variant that has not diverged; return a frame if asked, or if one diverges now.

        The frame is measured at the parameters before the update; a `passing` one is not kept, so what has a schedule of its
        own is left to one that is. One with a picture has the held-out metric too, of the same parameters. Raises `RuntimeError`
        when the run has finished.
        """
        self._check_left()
        batches, living = self.batches_of_step(), self.living()
        passes = {name: variant.forward(batches, self.step, record) for name, variant in living.items()}
        broken = [name for name, done in passes.items() if finite(done.value()) is None]
        if broken and not record:
            passes = {name: variant.repeated_forward(batches, self.step) for name, variant in living.items()}
        recorded = bool(record or broken)
        measured = {}
        if recorded and self.early is not None:
            measured = {name: living[name].frame(done) for name, done in passes.items()}
            self.early(Frame(self.step, {name: frame for name, (frame, _) in measured.items()}, [], monotonic() - self._began))
            self.early = None
        extras = self.extras(record, baseline, picture, passing) if recorded else {}
        frames = {}
        for name, done in passes.items():
            variant, known = living[name], measured.get(name)
            frames[name] = (known or variant.frame(done))[0] if name in broken else variant.update(done, self.step, known)
        for name in broken:
            self.diverged[name] = {"step": self.step, "layer": frames[name].first_broken}
        return self.taken(frames, extras, recorded)

    def extras(
        self, record: bool, baseline: bool, picture: bool, passing: bool, outputs: dict[str, Tensor] | None = None
    ) -> dict[str, dict]:
        """Return, by variant, what a frame of this step has besides what its passes give; see `advance`.

        `outputs` has those for what is held out where they are known already.
        """
        held_out = self.is_held_out_due(record, picture, passing)
        return self._extras(self.living(), baseline, picture, held_out, not passing, outputs)

    def is_held_out_due(self, record: bool, picture: bool, passing: bool) -> bool:
        """Return whether a frame of this step has the held-out metric; see `advance`."""
        return picture or (record and not passing and self._is_held_out_due())

    def taken(self, frames: dict[str, VariantFrame], extras: dict[str, dict], recorded: bool) -> Frame | None:
        """Go on to the next step; return the frame of this one if it was recorded."""
        frame = self._frame(frames, extras) if recorded else None
        self.step += 1
        return frame

    def mark(self, name: str, frame: VariantFrame) -> None:
        """Fill in what is to be said of a variant's gradients that mislead."""
        self._variants[name].mark(frame, self.batches.size)

    def measure(self, baseline: bool = True, picture: bool = True) -> Frame:
        """Return a frame of the present parameters on the present step's batch; no parameter, statistic or event changes."""
        batches, living = self.batches_of_step(), self.living()
        frames = {name: variant.frame(variant.repeated_forward(batches, self.step))[0] for name, variant in living.items()}
        events = self._events
        frame = self._frame(frames, self._extras(living, baseline, picture, held_out=True, kept=False))
        self._events = events
        return frame

    def weights(self, variant: str) -> dict[str, Tensor]:
        """Return a variant's parameters and buffers by name; they change with the next step."""
        return self._variants[variant].model.state_dict()

    def state_bytes(self) -> bytes:
        """Return what the next steps depend on, for `load_state`; events that no frame has shown yet are kept too."""
        return pack(*self.state())

    def state(self) -> tuple[dict, dict[str, Tensor]]:
        """Return the facts and the tensors of `state_bytes`."""
        facts = {
            **self._facts(),
            "weights": [weight_shapes(variant) for variant in self._variants.values()],
        }
        tensors: dict[str, Tensor] = {}
        for index, variant in enumerate(self._variants.values()):
            tensors |= variant_tensors(variant, str(index))
        return facts, tensors

    def load_state(self, data: bytes) -> None:
        """Go on from `state_bytes` of a run of the same experiment, bit for bit.

        Raises `CheckpointError`, after which this trainer is of no more use.
        """
        self.set_state(*unpack(data))

    def set_state(self, facts: dict, tensors: dict[str, Tensor]) -> None:
        """Do the same from what `state` returned."""
        try:
            experiment = experiment_from_json(facts["experiment"])
            if list(experiment.variants) != list(self._variants):
                raise CheckpointError("the checkpoint is of another experiment: its variants have other names")
            for index, (name, variant) in enumerate(self._variants.items()):
                variant.set_network(experiment.variants[name])
                variant.training = experiment.training
                restore_variant(variant, str(index), tensors)
            self.step, self.diverged, self._events = facts["step"], facts["diverged"], facts["events"]
            self._next_held_out, self.applied = facts["next_held_out"], facts["applied"]
            self._began = monotonic() - facts["seconds"]
        except (LookupError, TypeError, ExperimentError, NetworkError) as error:
            raise CheckpointError(f"the checkpoint does not fit this run: {error}") from None
        self.experiment = experiment

    def living(self) -> dict[str, Variant]:
        """Return the variants that train."""
        return {name: variant for name, variant in self._variants.items() if name not in self.diverged}

    def batches_of_step(self) -> list[Batch]:
        """Return the micro-batches of the present step."""
        if self._at is None or self._at[0] != self.step:
            self._at = self.step, [self._batch(micro) for micro in range(self.experiment.training.accumulation)]
        return self._at[1]

    def _batch(self, micro: int = 0) -> Batch:
        """Return a micro-batch of the present step; all steps' micro-batches follow each other in one stream."""
        return self.samples(self.batches.indices(self.step * self.experiment.training.accumulation + micro))

    def samples(self, indices: Tensor) -> Batch:
        """Return the training samples of these numbers, which any seed's are."""
        indices = indices.to(self.device)
        return self._x.index_select(0, indices), self._y.index_select(0, indices)

    def _extras(
        self,
        living: dict[str, Variant],
        baseline: bool,
        picture: bool,
        held_out: bool,
        kept: bool,
        outputs: dict[str, Tensor] | None = None,
    ) -> dict[str, dict]:
        """Return, by variant, the fields of a frame that cost passes of their own; one that is not `kept` moves no schedule."""
        extras: dict[str, dict] = {name: {} for name in living}
        if held_out and kept:
            self._held_out_taken()
        began = monotonic()
        for name, variant in living.items():
            if held_out:
                extras[name] |= self._held_out(outputs[name] if outputs else variant.evaluate(self.held_out_x))
            if picture and self.paints:
                extras[name]["picture"] = self._painter.paint(variant)
        if picture:
            if all(variant.rehearsals.rehearsal for variant in living.values()):
                give_freed_memory_back()  # no pass of a step asks for it again
            self.picture_seconds = monotonic() - began
        if baseline:
            for name, variant in living.items():
                extras[name] |= variant.baseline(self.batches_of_step(), self.step)
        return extras

    def _held_out(self, outputs: Tensor) -> dict:
        """Return a frame's fields of held-out samples from a variant's outputs for them."""
        truth = self._held_out_y
        fields = {"held_out": finite(self._metric(outputs, truth))}
        if KINDS[self.experiment.task.kind.metric].by_class:
            recall = recalls(outputs, truth)
            fields |= {"balanced_accuracy": balanced(recall), "recall": recall}
        return fields

    def _frame(self, frames: dict[str, VariantFrame], extras: dict[str, dict]) -> Frame:
        for name, fields in extras.items():
            for field, value in fields.items():
                setattr(frames[name], field, value)
        return self._made(frames)


def _counts(variant: Variant, batch_size: int) -> dict:
    """Return how many elements each norm of a frame is taken over; those of states and skips include the batch."""
    shapes, flat = variant.network.shapes, variant.flat
    states = [batch_size * elements(shape) for shape in shapes.states]
    return {
        "state_count": states,
        "weight_count": [end - start for start, end in flat.layers],
        **({"branch_count": [end - start for start, end in flat.branches]} if flat.branches else {}),
        "skip_count": [states[skip.source] for skip in variant.network.skips],
        "parameters": shapes.parameters,
    }


def _points(data: Data) -> dict:
    """Return at most `POINTS_SHOWN` points, a fifth of them held out, as JSON data; labels where there are classes."""
    kept = POINTS_SHOWN // HELD_OUT_SHARE
    count = POINTS_SHOWN - kept
    parts = (data.x[:count], data.y[:count]), (data.held_out_x[:kept], data.held_out_y[:kept])
    places = np.round(plane(*parts[0], *parts[1]).astype(float), 3).T.tolist()
    points = {"x": places[0], "y": places[1]}
    if data.y.ndim == 1:
        points["label"] = np.concatenate([y for _, y in parts]).tolist()
    return points | {"held_out": [0] * len(parts[0][0]) + [1] * len(parts[1][0])}
