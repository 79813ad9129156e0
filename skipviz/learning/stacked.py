"""Several seeds of one network in one pass: their parameters are stacked, `(seeds, …)`, and their batches lie one behind the other.

A state is `(seeds · batch, …)`, so that all that has no parameters acts on it as on any batch. What has some is a product a
seed, in one call. The seeds' losses are summed: the gradient of the sum by a seed's parameter or state is that of its own loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..network import Network, edit
from ..tasks.schedule import learning_rate
from .frame import Numbers, VariantFrame
from .frame_text import NUMBER_LISTS, NUMBERS
from .metric.accuracy import accuracy
from .norms import Sizes, norm_array
from .objective import finite
from .operation import Function
from .operation.linear import Linear
from .optimizer import step_together
from .parameters import FlatParameters
from .passes import Batch
from .plan import Plan
from .probe import Gradients, gradients, measured, record
from .recording import Recording
from .rehearsal import Rehearsals
from .signals import alike
from .variant import Variant, largest_state


@dataclass(slots=True)
class Gone:
    """A pass of all seeds that went backward."""

    network: Network
    outputs: Tensor
    """`(seeds, batch, …)`."""
    truths: Sequence[Tensor]
    loss: Tensor
    """`(seeds,)`."""
    gradient: Tensor
    """`(seeds, parameters)`."""
    found: Gradients | None
    """Of all seeds, where it was recorded."""
    recording: Recording | None


class StackedLinear(nn.Module):
    """A linear map a seed: `weight` is `(seeds, out, in)`, `bias` `(seeds, out)` or None."""

    def __init__(self, linear: Linear, stacked: dict[int, Tensor]) -> None:
        super().__init__()
        self.weight, self.bias = stacked[id(linear.weight)], None if linear.bias is None else stacked[id(linear.bias)]
        self.flattens = len(linear.shape) > 2

    def function(self) -> Function:
        """Return the map of `(seeds · batch, …, in)`."""
        seeds, wide, narrow = self.weight.shape
        weight, bias = self.weight.mT, None if self.bias is None else self.bias[:, None]

        def linear(x: Tensor) -> Tensor:
            x = x.flatten(1) if self.flattens else x
            rows = x.reshape(seeds, -1, narrow)
            y = torch.bmm(rows, weight) if bias is None else torch.baddbmm(bias, rows, weight)
            return y.view(*x.shape[:-1], wide)

        return linear


COPIED = 2**20
"""Elements of one copy in which states and gradients of all seeds are measured together: 4 MB."""
STACKED = {Linear: StackedLinear}
"""By an operation's module, that of all seeds."""


class Stack:
    """The seeds of one network that train together."""

    def __init__(self, variants: Sequence[Variant]) -> None:
        self.variants, first = list(variants), variants[0]
        values = torch.stack([variant.flat.values for variant in variants])
        for variant, row in zip(variants, values, strict=True):
            variant.move(row)
        ends = list(accumulate((p.numel() for p in first.flat.parameters), initial=0))
        self._parameters = [
            values[:, start:end].view(len(variants), *p.shape).requires_grad_()
            for p, (start, end) in zip(first.flat.parameters, pairwise(ends), strict=True)
        ]
        stacked = {id(p): one for p, one in zip(first.flat.parameters, self._parameters, strict=True)}
        self._model = deepcopy(first.model)
        for name, module in first.model.named_modules():
            if type(module) in STACKED:
                room, _, place = name.rpartition(".")
                setattr(self._model.get_submodule(room), place, STACKED[type(module)](module, stacked))
        self._plan: Plan | None = None
        batch = first.training.batch_size * len(variants)
        self._rehearsals = Rehearsals(batch * largest_state(first.network), first.device)
        self._network = None
        self._values = values

    def go(self, batches: Sequence[Batch], recorded: bool) -> Gone | None:
        """Return every seed's pass on its batch, gone backward; None where a loss is not finite."""
        network, batch = self.variants[0].network, joined(batches)
        if self._network is not network:
            self._network, self._plan = network, self._model.bound(network, True)
            self._rehearsals.forget()
        rehearsal = self._rehearsals.next(lambda batch: self._gone(network, self._plan, batch, True), batch, self._model.buffers())
        gone = rehearsal.on(batch, recorded) if rehearsal else self._gone(network, self._plan, batch, recorded)
        return gone if gone.loss.isfinite().all() else None

    def baselines(self, batches: Sequence[Batch], step: int) -> list[dict[str, Numbers | None]]:
        """Return what `Variant.baseline` does of every seed."""
        bare = edit.bare(self.variants[0].network)
        gone = self._gone(bare, self._model.bound(bare, True), joined(batches), True)
        if not gone.loss.isfinite().all():
            return [variant.baseline([batch], step) for variant, batch in zip(self.variants, batches, strict=True)]
        return [frame.baseline() for frame in self._frames(gone)]

    def _gone(self, network: Network, plan: Plan, batch: Batch, recorded: bool) -> Gone:
        seeds = len(self.variants)
        x, truths = batch[0], batch[1].chunk(seeds)
        outputs, recording = record(plan, x) if recorded else (plan.run(x), None)
        own = outputs.view(seeds, -1, *outputs.shape[1:])
        losses = self._losses(own, truths)
        found, parameters = None, (None,) * len(self._parameters)
        if recorded:
            found = gradients(losses.sum(), self._parameters, recording)
            parameters, found.parameters = found.parameters, ()  # held once, in the flat gradient
        elif losses.requires_grad:  # it does not where all that has parameters is off
            parameters = torch.autograd.grad(losses.sum(), self._parameters, allow_unused=True)
        parts = [p.new_zeros(p.shape) if g is None else g for p, g in zip(self._parameters, parameters, strict=True)]
        flat = torch.cat([part.reshape(seeds, -1) for part in parts], dim=1)
        return Gone(network, own.detach(), truths, losses.detach(), flat, found, recording)

    def update(self, gone: Gone, step: int) -> list[VariantFrame] | None:
        """Have every seed take its step; return what was measured before it, if it was recorded."""
        frames = self._frames(gone) if gone.recording else None
        first, rate = self.variants[0], learning_rate(self.variants[0].training, step)
        before = self._values.clone() if frames else None
        if rate:
            for variant, gradient in zip(self.variants, gone.gradient, strict=True):
                variant.clip(gradient)
                variant.updater.set_rates(rate, first.training.weight_decay)
            step_together([variant.updater for variant in self.variants], gone.gradient)
        if frames:
            self._measure_update(frames, before)
            for frame in frames:
                frame.learning_rate = rate
        return frames

    def _losses(self, outputs: Tensor, truths: Sequence[Tensor]) -> Tensor:
        """Return the loss of every seed."""
        loss = self.variants[0].loss
        if loss is cross_entropy and outputs.dim() == 3:
            return loss(outputs.flatten(0, 1), torch.cat(truths), reduction="none").view(len(truths), -1).mean(1)
        return torch.stack([loss(one, truth) for one, truth in zip(outputs, truths, strict=True)])

    def _frames(self, gone: Gone) -> list[VariantFrame]:
        """Return the frame of every seed, without what comes of its update and without marks."""
        first = self.variants[0]
        try:
            sizes = StackedSizes(gone.gradient, first.flat)
            whole = measured(gone.network, first.flat, gone.found, gone.gradient[0], gone.recording, sizes)
            frames = parted(whole, len(self.variants))
        except NotFiniteError:
            frames = [self._frame(gone, seed) for seed in range(len(self.variants))]
        for frame, loss, metric in zip(frames, gone.loss.tolist(), self._metrics(gone), strict=True):
            frame.loss, frame.metric = loss, finite(metric)
        return frames

    def _metrics(self, gone: Gone) -> list[float]:
        """Return the metric of every seed."""
        metric = self.variants[0].metric
        if metric is accuracy and gone.outputs.dim() == 3:
            return (gone.outputs.argmax(-1) == torch.stack(gone.truths)).float().mean(1).tolist()
        return [metric(outputs, truth) for outputs, truth in zip(gone.outputs, gone.truths, strict=True)]

    def _frame(self, gone: Gone, seed: int) -> VariantFrame:
        """Return the measurements of one seed alone."""
        flat, count = self.variants[seed].flat, len(self.variants)
        part = lambda one: None if one is None else (part(one[0]), one[1]) if isinstance(one, tuple) else one.chunk(count)[seed]  # noqa: E731
        found = gone.found
        lists = [[part(one) for one in vectors] for vectors in (found.states, found.trunks, found.skips)]
        nodes, edges = ({name: part(one) for name, one in vectors.items()} for vectors in (found.by_node, found.by_edge))
        own = Recording()
        own.by_node, own.trunk = {name: part(one) for name, one in gone.recording.by_node.items()}, gone.recording.trunk
        return measured(gone.network, flat, Gradients((), *lists, nodes, edges), gone.gradient[seed], own)

    def _measure_update(self, frames: list[VariantFrame], before: Tensor) -> None:
        """Fill in ‖Δθ_k‖/‖θ_k‖ of every seed."""
        runs = self.variants[0].flat.layer_runs
        measure = lambda vectors: by_seed(norm_array, [_rows(vectors, *run) for run in runs], [], len(frames))  # noqa: E731
        sizes, moves = measure(before), measure(before.sub_(self._values))
        if len(sizes) == len(frames[0].update_ratio) and sizes.all() and numpy.isfinite(ratios := moves / sizes).all():
            for frame, ratio in zip(frames, ratios.T.tolist(), strict=True):
                frame.update_ratio = ratio
            return
        for variant, frame, size, moved in zip(self.variants, frames, sizes.T.tolist(), moves.T.tolist(), strict=True):
            variant.fill_update(frame, size, moved)


def joined(batches: Sequence[Batch]) -> Batch:
    """Return the seeds' batches, one behind the other, as one."""
    return torch.cat([x for x, _ in batches]), torch.cat([y for _, y in batches])


class NotFiniteError(ArithmeticError):
    """A size of some seed is NaN or infinite."""


class StackedSizes(Sizes):
    """Measures all seeds in one call: a size is an array of one number a seed. Raises `NotFiniteError`."""

    def __init__(self, flat: Tensor, layout: FlatParameters) -> None:
        super().__init__(len(flat))
        self._flat, self._layout = flat, layout

    def norms(self, matrices: Sequence[Tensor], tensors: Sequence[Tensor]) -> list:
        """Return the norms of the rows of all seeds' gradients, and of all their parts of `tensors`."""
        return self._of(norm_array, [_rows(self._flat, *run) for run in self._layout.runs], tensors)

    def magnitudes(self, matrices: Sequence[Tensor], tensors: Sequence[Tensor]) -> list:
        """Likewise of sums of magnitudes."""
        return self._of(_summed, self._layout.weight_parts(self._flat), tensors)

    def numbers(self, table: numpy.ndarray) -> list:
        """Return sizes that were measured as `(sizes, seeds)`."""
        return known(table)

    def finite(self, value):
        """Return what is known to be finite."""
        return value

    def total(self, values: Sequence) -> numpy.ndarray:
        """Return the norm of what has parts of these norms, which are of float32: their squares are no float64's end."""
        return numpy.sqrt(sum(value * value for value in values))

    def _of(self, measure, parts: list[Tensor], tensors: Sequence[Tensor]) -> list:
        return known(by_seed(measure, parts, tensors, self.seeds))


def known(sizes: numpy.ndarray) -> list[numpy.ndarray]:
    """Return the rows of `sizes`; raises `NotFiniteError`."""
    if not numpy.isfinite(sizes).all():
        raise NotFiniteError
    return list(sizes)


def by_seed(measure, parts: list[Tensor], tensors: Sequence[Tensor], seeds: int) -> numpy.ndarray:
    """Return sizes, a column a seed, of the rows of `parts`, `(seeds, rows, elements)`, and of `tensors`, `(seeds · batch, …)`."""
    groups = alike(tensors, COPIED)
    copies = [torch.stack([tensors[index] for index in group]).view(len(group) * seeds, -1) for group in groups]
    values, place = measure([*(part.reshape(-1, part.shape[-1]) for part in parts), *copies]), 0
    found = numpy.empty((sum(part.shape[1] for part in parts) + len(tensors), seeds))
    for part in parts:
        end = place + part.shape[1]
        found[place:end] = values[place * seeds : end * seeds].reshape(seeds, -1).T
        place = end
    order = [place + index for group in groups for index in group]
    found[order] = values[place * seeds :].reshape(-1, seeds)
    return found


def _summed(matrices: Sequence[Tensor]) -> numpy.ndarray:
    """Return what `magnitudes` does, to rounding, of so many elements several times faster."""
    some = lambda matrix: matrix.split(max(1, COPIED // max(1, matrix.shape[1])))  # noqa: E731
    return torch.cat([rows.abs().sum(1) for matrix in matrices for rows in some(matrix)]).numpy().astype(numpy.float64)


def parted(whole: VariantFrame, seeds: int) -> list[VariantFrame]:
    """Return every seed's frame of one whose numbers are arrays of one number a seed, or the same for all."""
    frames = [VariantFrame(None, None, [], [], [], [], None, [], [], [], []) for _ in range(seeds)]
    for name in (*NUMBERS, *NUMBER_LISTS):
        value = getattr(whole, name)
        if value is None:
            continue
        columns = [
            one.tolist() if isinstance(one, numpy.ndarray) else [one] * seeds
            for one in (value if name in NUMBER_LISTS else [value])
        ]
        for frame, row in zip(frames, zip(*columns, strict=True), strict=False):
            setattr(frame, name, list(row) if name in NUMBER_LISTS else row[0])
    return frames


def _rows(vectors: Tensor, start: int, count: int, size: int) -> Tensor:
    """Return some parts of equal size of several flat vectors."""
    return vectors[:, start : start + count * size].reshape(len(vectors), count, size)
