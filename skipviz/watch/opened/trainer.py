"""Trains a person's own module, in variants that differ by their switches, with the interface of `learning.trainer.Trainer`."""

from __future__ import annotations

from math import isfinite
from time import monotonic

import torch
from torch import Tensor

from ...learning.checkpoint import CheckpointError, pack, unpack
from ...learning.frame import Frame, VariantFrame
from ...learning.progress import Progress, run_header
from ...learning.trainer import pick_device
from ...network.base import NetworkError
from ...tasks.event import Event, applied
from ...tasks.experiment import Experiment, ExperimentError, experiment_from_json
from ..errors import WatchError
from ..frames import element_counts
from ..random_state import RandomState
from .files import Loader, RandomData, made_loss, made_model
from .held_out import HeldOut
from .objective import Batch, taken_by
from .spec import Opened, refusal
from .variant import OpenedVariant, filled


class OpenedTrainer(Progress):
    """A run of an experiment whose network is a person's module; a step is theirs, written out: forward, loss, backward, update.

    Every variant is made anew from the training's seed, and all of them see the same batches. Raises `WatchError`.
    """

    def __init__(self, opened: Opened, experiment: Experiment, device: str = "cpu") -> None:
        super().__init__(experiment)
        self.device, self.picture_seconds = pick_device(device), 0.0
        self._opened = opened
        training, loss = experiment.training, made_loss(opened)
        if self.device.type == "cuda":
            torch.cuda.init()  # its generators are there before anybody's course of them begins
        self._variants: dict[str, OpenedVariant] = {}
        for name in experiment.variants:
            random = RandomState(training.seed)
            with random.in_force():
                model = made_model(opened)
            self._variants[name] = OpenedVariant(model, random, training, self.device, loss)
        first = next(iter(self._variants.values())).model
        names = taken_by(first)
        if opened.data is None:
            self._data = RandomData(opened, training.batch_size, training.seed, first, names)
        else:
            self._data = Loader(opened.data, training.seed, names)
        self._at: tuple[int, list[Batch]] | None = None
        for name, variant in self._variants.items():
            found = variant.begin(self.batches_of_step()[0])
            known = experiment.variants[name]
            changed = refusal(experiment, experiment.replaced(variants={name: found}))
            if changed:
                raise WatchError("the module is no longer what it was when the lab was opened on it: open it anew")
            variant.set_network(known)
        self._held_out = HeldOut(opened, names, next(iter(self._variants.values()))) if opened.held_out else None
        self._accuracy = experiment.task.kind.metric == "accuracy"
        if self._held_out is not None and self._accuracy:
            for variant in self._variants.values():
                variant.ahead = self._held_out.ahead
        self._began = monotonic()

    def header(self) -> dict:
        """Return what a viewer needs once; see `Trainer.header`."""
        counts, many = {}, self.experiment.training.accumulation
        for name, variant in self._variants.items():
            counts[name] = element_counts(variant.layout.network, [count * many for count in variant.counts], variant.model)
        header = run_header(self.experiment, counts, next(iter(self._variants.values())).batch_size, self.device.type)
        return header | ({"held_out_samples": self._held_out.samples} if self._held_out is not None else {})

    def apply(self, event: Event) -> None:
        """Let `event` act before the next step; raises `NetworkError` and changes nothing if it cannot."""
        experiment = applied(self.experiment, event)
        for name, variant in self._variants.items():
            if experiment.variants[name] is not variant.network:
                variant.set_network(experiment.variants[name])
            variant.training = experiment.training
        self._acted(event, experiment)

    def advance(self, record: bool, baseline: bool = False, picture: bool = False, passing: bool = False) -> Frame | None:
        """Take one step with every variant that has not diverged; return a frame if asked, or if one diverges now."""
        self._check_left()
        frames: dict[str, VariantFrame] = {}
        batches = self.batches_of_step()
        due = record and not passing and self._is_held_out_due()
        if due:
            self._held_out_taken()
        for name, variant in self._living().items():
            held_out = self._measured_held_out(variant) if due else {}
            loss, frame = variant.step(batches, self.step, record, baseline)
            if frame is not None:
                frames[name] = filled(frame, held_out)
            if not isfinite(loss):
                self.diverged[name] = {"step": self.step, "layer": frame.first_broken}
        frame = self._made(frames) if frames else None
        self.step += 1
        return frame

    def measure(self, baseline: bool = True, picture: bool = True) -> Frame:
        """Return a frame of the present parameters on the present step's batch; nothing changes."""
        batches, events = self.batches_of_step(), self._events
        frame = self._made(
            {
                name: filled(variant.measured(batches, baseline), self._measured_held_out(variant))
                for name, variant in self._living().items()
            }
        )
        self._events = events
        return frame

    def weights(self, variant: str) -> dict[str, Tensor]:
        """Return a variant's parameters and buffers by name; they change with the next step."""
        return self._variants[variant].model.state_dict()

    def state_bytes(self) -> bytes:
        """Return what the next steps depend on, for `load_state`: numbers and facts, no code."""
        tensors = {f"{place}/{name}": one for place, own in enumerate(self._each()) for name, one in own.tensors().items()}
        halves = [name for name, one in tensors.items() if one.dtype == torch.bfloat16]
        return pack({**self._facts(), "bfloat16": halves}, tensors | {name: tensors[name].view(torch.int16) for name in halves})

    def load_state(self, data: bytes) -> None:
        """Go on from `state_bytes` of a run of the same experiment; batches that were used are passed over.

        Raises `CheckpointError`, after which this trainer is of no more use.
        """
        facts, tensors = unpack(data)
        try:
            experiment = experiment_from_json(facts["experiment"])
            tensors |= {name: tensors[name].view(torch.bfloat16) for name in facts["bfloat16"]}
            if list(experiment.variants) != list(self._variants):
                raise CheckpointError("the checkpoint is of another experiment: its variants have other names")
            for place, (name, variant) in enumerate(self._variants.items()):
                mine = f"{place}/"
                variant.restore({one[len(mine) :]: tensor for one, tensor in tensors.items() if one.startswith(mine)})
                variant.set_network(experiment.variants[name])
                variant.training = experiment.training
            self.step, self.diverged, self._events = facts["step"], facts["diverged"], facts["events"]
            self.applied, self._began = facts["applied"], monotonic() - facts["seconds"]
            self._next_held_out = facts.get("next_held_out", 0)
        except (LookupError, TypeError, ValueError, ExperimentError, NetworkError) as error:
            raise CheckpointError(f"the checkpoint does not fit this run: {error}") from None
        self.experiment = experiment

    def batches_of_step(self) -> list[Batch]:
        """Return the micro-batches of the present step."""
        if self._at is None or self._at[0] != self.step:
            count = self.experiment.training.accumulation
            found = [self._data.batch(self.step * count + micro).to(self.device) for micro in range(count)]
            self._at = self.step, found
        return self._at[1]

    def _measured_held_out(self, variant: OpenedVariant) -> dict[str, float | None]:
        """Return a frame's fields of held-out batches, if there are any."""
        return {} if self._held_out is None else self._held_out.measure(variant, self._accuracy)

    def _each(self) -> list[OpenedVariant]:
        return [*self._variants.values()]

    def _living(self) -> dict[str, OpenedVariant]:
        return {name: variant for name, variant in self._variants.items() if name not in self.diverged}
