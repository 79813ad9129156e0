"""One network of an experiment while it trains: its parameters, its optimizer, its measurements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor

from ..network import Network, Skip, edit
from ..network.base import elements
from ..tasks.experiment import Training
from ..tasks.schedule import learning_rate
from .build import NetworkModule
from .clipping import clip
from .frame import Numbers, VariantFrame
from .marks import GradientMarks
from .norms import Sizes, norms
from .objective import finite
from .operation.attention import attention_weights
from .optimizer import Updater
from .parameters import FlatParameters, rows
from .passes import Batch, Earlier, Pass, combined
from .plan import Plan
from .probe import gradients, measured, record
from .recording import Program, Recording
from .rehearsal import Rehearsals

EVALUATED_AT_ONCE, EVALUATED_ELEMENTS = 512, 2**22
"""Samples, and elements of the largest state, of one pass without a graph: as fast as all at once, and a few MB for each state."""


class Variant:
    """A model in training. `loss` and `metric` are functions of (outputs, truth)."""

    def __init__(self, network: Network, training: Training, device: torch.device, loss, metric) -> None:
        self.network, self.training = network, training
        with torch.no_grad():
            self.model = NetworkModule(network, training.seed)
        if device.type != "cpu":
            self.model.to(device)
        self.flat = FlatParameters(self.model)
        self.updater = Updater(self.flat, training, network)
        self.loss, self.metric = loss, metric
        self._plans: dict[bool, Plan] = {}
        self.rehearsals = Rehearsals(training.batch_size * largest_state(network), device)
        self.device, self.reduced = device, training.precision == "bfloat16"
        self._buffers = list(self.model.buffers())
        self._at_once = evaluated_at_once(network)
        self._marks: GradientMarks | None = None
        self._sizes = Sizes()

    def set_network(self, network: Network) -> None:
        """Take other switches, strengths and gains; raises `NetworkError` if the structure differs."""
        self.model.set_network(network)
        self._forget()
        self.updater.set_network(network)
        self.network, self._marks = network, None

    def move(self, values: Tensor) -> None:
        """Let `values`, which hold what the parameters hold, be the flat vector from now on."""
        self.flat.move(values)
        self.updater.take_up(values)
        self._forget()

    def _forget(self) -> None:
        """Make plans and their passes anew."""
        self._plans = {}
        self.rehearsals.forget()

    def set_strengths(self, identifiers: Iterable[str], strength: float) -> None:
        """Give those of the skips whose strength is learned this value; momenta stay."""
        for identifier in identifiers:
            if (place := self.flat.strengths.get(identifier)) is not None:
                self.flat.values[place] = strength

    def plan(self, training: bool = True) -> Plan:
        """Return the forward pass under the present switches."""
        if training not in self._plans:
            self._plans[training] = self.model.bound(self.network, training)
        return self._plans[training]

    def forward(self, batches: Sequence[Batch], step: int, recorded: bool) -> Pass:
        """Return the training-mode forward pass on the last of a step's micro-batches; those before it go backward, too.

        It ends with the first whose loss is not finite.
        """
        if len(batches) == 1:
            rehearsal = self.rehearsals.next(lambda batch: self._whole_pass(batch, step), batches[0], self._buffers)
            if rehearsal is not None:
                return rehearsal.on(batches[0], recorded)
        return self._forward(batches, step, recorded, self.network, self.plan())

    def update(self, done: Pass, step: int, known: tuple[VariantFrame, Tensor] | None = None) -> VariantFrame | None:
        """Step on the gradient of a forward pass; return what was measured at the old parameters if it was recorded.

        `known` is the pass's `frame` where that is there already.
        """
        rate = learning_rate(self.training, step)
        if done.recording is None:
            self._step(done.earlier.with_gradient(self._gradient(done)), rate)
            return None
        frame, gradient = known or self.frame(done)
        frame.learning_rate = rate
        before = self.flat.values.clone()
        self._step(gradient, rate)
        self._measure_update(frame, before)
        return frame

    def frame(self, done: Pass) -> tuple[VariantFrame, Tensor]:
        """Return the measurements of a recorded pass and the flat gradient."""
        frame, gradient = self._measured(done)
        frame = combined([*done.earlier.frames, frame])
        self.mark(frame, len(done.truth))
        frame.loss = finite(done.value())
        frame.metric = finite(done.metric(self.metric))
        if frame.loss is None:
            frame.nonfinite.insert(0, "loss")
            frame.first_broken = frame.first_broken or "head"
        return frame, gradient

    def repeated_forward(self, batches: Sequence[Batch], step: int) -> Pass:
        """Return a recorded training-mode forward pass that leaves the running norm statistics as they are."""
        with self.buffers_kept():
            return self.forward(batches, step, recorded=True)

    def baseline(self, batches: Sequence[Batch], step: int) -> dict[str, Numbers | None]:
        """Return the fields of a frame with gradients of the same weights and batch with every skip off; nothing changes."""
        bare = edit.bare(self.network)
        with self.buffers_kept():
            done = self._forward(batches, step, True, bare, self.model.bound(bare, True))
        frame = combined([*done.earlier.frames, self._measured(done)[0]])
        return frame.baseline()

    def _forward(self, batches: Sequence[Batch], step: int, recorded: bool, network: Network, program: Program) -> Pass:
        earlier = Earlier(len(batches))
        for place, (x, y) in enumerate(batches):
            self.model.masks.step = step * len(batches) + place
            with self._autocast():
                outputs, recording = record(program, x) if recorded else (program.run(x), None)
            outputs = self._whole(outputs)
            done = Pass(network, outputs, y, self.loss(outputs, y), recording, earlier)
            if place == len(batches) - 1 or finite(done.loss.item()) is None:
                return done
            if recorded:
                frame, earlier.gradient = self._measured(done)
                earlier.frames.append(frame)
                earlier.outputs.append(outputs.detach())
                earlier.truths.append(y)
            else:
                earlier.gradient = earlier.with_gradient(self._gradient(done))
            earlier.loss += done.loss.item()
        raise ValueError("a step needs a batch")

    def _whole_pass(self, batch: Batch, step: int) -> Pass:
        """Return a recorded pass that went backward."""
        done = self._forward([batch], step, True, self.network, self.plan())
        done.found = gradients(done.objective(), self.flat.parameters, done.recording)
        done.gradient = self.flat.flatten(done.found.parameters)
        return done

    def _gradient(self, done: Pass) -> Tensor:
        """Return the flat gradient of a pass that was not recorded, without those before it."""
        if done.gradient is not None:
            return done.gradient
        found: tuple[Tensor | None, ...] = (None,) * len(self.flat.parameters)
        if done.loss.requires_grad:  # it does not where all that has parameters is off
            found = torch.autograd.grad(done.objective(), self.flat.parameters, allow_unused=True)
        return self.flat.flatten(found)

    def _measured(self, done: Pass) -> tuple[VariantFrame, Tensor]:
        """Return the gradient and signal fields of a recorded pass; the flat gradient is that of those before it, too."""
        found = done.found or gradients(done.objective(), self.flat.parameters, done.recording)
        gradient = done.gradient
        if gradient is None:
            gradient = done.earlier.with_gradient(self.flat.flatten(found.parameters))
        active = done.earlier.active if done.earlier.count > 1 else None
        return measured(done.network, self.flat, found, gradient, done.recording, self._sizes, active), gradient

    def _whole(self, outputs: Tensor) -> Tensor:
        """Return outputs in the precision in which losses are taken."""
        return outputs.float() if self.reduced else outputs

    def _autocast(self):
        return torch.autocast(self.device.type, torch.bfloat16) if self.reduced else nullcontext()

    def _step(self, gradient: Tensor, rate: float) -> None:
        """Update by a gradient; at a rate of 0, which measures only, no weight, momentum or step count changes.

        Batch norm's running statistics go on, as in every forward pass of training.
        """
        if rate == 0:
            return
        self.clip(gradient)
        self.updater.set_rates(rate, self.training.weight_decay)
        self.updater.step(gradient)

    @property
    def clips(self) -> bool:
        """Whether gradients are clipped."""
        return self.training.clip_norm is not None or self.training.clip_value is not None

    def clip(self, gradient: Tensor) -> None:
        """Clip the flat gradient in place."""
        clip(self.updater.parted(gradient), self.training.clip_norm, self.training.clip_value)

    def evaluate(self, x: Tensor) -> Tensor:
        """Return the outputs for `x` with running norm statistics, without a graph."""
        run = self.plan(training=False).run
        with torch.no_grad(), self._autocast():
            return torch.cat([self._whole(run(part)) for part in x.split(self._at_once)])

    def attention(self, x: Tensor) -> tuple[str, Tensor] | None:
        """Return the id of the last attention and how much its positions look at each other, or None without one.

        The weights are `(batch, heads, length, length)`, rows sum to 1. An attention that also reads concats is passed over. With
        further inputs it is the last attention to one of them, if any is in force.
        """
        crosses = [skip for skip in self.network.skips if skip.merge == "attend" and skip.via and skip.in_force]
        if self.network.further and crosses:
            return self._cross_attention(crosses[-1], x)
        joined = {skip.target for skip in self.network.skips if skip.joins}
        layers = list(enumerate(self.network.layers))
        found = [k for k, layer in layers if layer.op.attends and layer.on and k not in joined]
        if not found:
            return None
        layer, recording = self.network.layers[found[-1]], Recording()
        module = self.model.layer_of(layer.shares or layer.id)
        with torch.no_grad(), self._autocast():
            self.plan(training=False).run(x, recording)
            h = recording.states[found[-1]]
            if layer.order == "norm-act-op":
                stages = (module.norm and module.norm.function(False), module.activating(False))
                for stage in stages:
                    h = stage(h) if stage else h
            queries, keys, _ = module.operation.read(h)
            return layer.id, attention_weights(queries, keys, layer.op.causal)

    def _cross_attention(self, skip: Skip, x: Tensor) -> tuple[str, Tensor]:
        """Return the id of a skip that attends and how much each position where it lands looks at each of what it carries."""
        recording, layer = Recording(), self.network.layers[skip.target - 1]
        with torch.no_grad(), self._autocast():
            self.plan(training=False).run(x, recording)
            queries = self.plan(training=False).layer(layer)(recording.states[skip.target - 1])
            read = self.model.carrier(skip.id).both.read(queries, recording.by_node[skip.via])
            return skip.id, attention_weights(*read[:2], skip.causal)

    @contextmanager
    def buffers_kept(self):
        """Give the running norm statistics back as they were."""
        kept = [buffer.clone() for buffer in self._buffers]
        try:
            yield
        finally:
            for buffer, old in zip(self._buffers, kept, strict=True):
                buffer.data.copy_(old)  # through .data: a backward pass still to come checks their version, and reads none

    def mark(self, frame: VariantFrame, batch_size: int) -> None:
        """Fill in what is to be said of gradients that mislead."""
        if self._marks is None:
            self._marks = GradientMarks(self.network, batch_size)
        for mark, places in self._marks.of(frame).items():
            setattr(frame, mark, places)

    def _measure_update(self, frame: VariantFrame, before: Tensor) -> None:
        """Fill in ‖Δθ_k‖/‖θ_k‖, θ_k being the parameters before the step."""
        runs = self.flat.layer_runs
        sizes = norms(rows(before, runs), [])
        moves = norms(rows(before.sub_(self.flat.values), runs), [])  # in its place: no further vector of all parameters
        self.fill_update(frame, sizes, moves)

    def fill_update(self, frame: VariantFrame, sizes: Iterable[float], moves: Iterable[float]) -> None:
        """Fill in the ratios of the layers that have parameters from the norms of these and of their moves."""
        layers = [index for index, (start, end) in enumerate(self.flat.layers) if end > start]
        for index, moved, size in zip(layers, moves, sizes, strict=True):
            ratio = finite(moved / size) if size else None
            frame.update_ratio[index] = ratio
            if ratio is None and size:
                frame.nonfinite.append(f"update_ratio:{self.network.layers[index].id}")


def evaluated_at_once(network: Network, seeds: int = 1) -> int:
    """Return how many samples are evaluated in one pass, each by so many seeds."""
    return max(1, min(EVALUATED_AT_ONCE, EVALUATED_ELEMENTS // (seeds * largest_state(network))))


def largest_state(network: Network) -> int:
    """Return the elements of the largest state of one sample."""
    return max(map(elements, network.shapes.states))
