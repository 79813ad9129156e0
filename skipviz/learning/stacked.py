"""Several seeds of one network in one pass: their parameters are stacked, `(seeds, …)`, and their batches lie one behind the other.

A state is `(seeds · batch, …)`, so that all that has no parameters acts on it as on any batch. What has some is a product a
seed, in one call. The seeds' losses are summed: the gradient of the sum by a seed's parameter or state is that of its own loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import isfinite

import numpy
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..network import Network, edit
from ..tasks.schedule import learning_rate
from .frame import BASELINE, VariantFrame
from .median import Rows, median, nothing, rows_of
from .metric.accuracy import accuracy
from .objective import finite
from .operation import Function
from .operation.linear import Linear
from .optimizer import JointUpdater
from .passes import Batch
from .plan import Plan
from .probe import Gradients, gradients, measured, record
from .recording import Recording
from .rehearsal import Rehearsals
from .stacked_sizes import FrameSizes, NotFiniteError, StackedSizes, update_ratios
from .variant import Variant, evaluated_at_once, largest_state


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
    sizes: FrameSizes | None = None
    again: bool = False
    """Whether the next pass comes in the same memory."""


class Product(torch.autograd.Function):
    """A linear map a seed of `(seeds, rows, in)`; gradients of weights lie as weights do, which autograd's own need a copy for."""

    @staticmethod
    def forward(ctx, rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(rows, weight)
        return torch.bmm(rows, weight.mT) if bias is None else torch.baddbmm(bias[:, None], rows, weight.mT)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight = ctx.saved_tensors
        of_rows, _, of_bias = ctx.needs_input_grad
        return (
            torch.bmm(gradient, weight) if of_rows else None,
            torch.bmm(gradient.mT, rows),
            gradient.sum(1) if of_bias else None,
        )


class StackedLinear(nn.Module):
    """A linear map a seed: `weight` is `(seeds, out, in)`, `bias` `(seeds, out)` or None."""

    def __init__(self, linear: Linear, stacked: dict[int, Tensor]) -> None:
        super().__init__()
        self.weight, self.bias = stacked[id(linear.weight)], None if linear.bias is None else stacked[id(linear.bias)]
        self.flattens = len(linear.shape) > 2

    def function(self) -> Function:
        """Return the map of `(seeds · batch, …, in)`."""
        seeds, wide, narrow = self.weight.shape

        def linear(x: Tensor) -> Tensor:
            x = x.flatten(1) if self.flattens else x
            return Product.apply(x.reshape(seeds, -1, narrow), self.weight, self.bias).view(*x.shape[:-1], wide)

        return linear


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
        self._evaluating: Plan | None = None
        self._at_once = evaluated_at_once(first.network, len(variants))
        batch = first.training.batch_size * len(variants)
        self._rehearsals = [Rehearsals(batch * largest_state(first.network), first.device) for _ in (False, True)]
        """Of passes that are not recorded, whose states' gradients stay in the cache since they lie in one place, and that are."""
        self._network, self._values = None, values

    def go(self, batch: Batch, recorded: bool) -> Gone | None:
        """Return the pass on every seed's batch, one behind the other, gone backward; None where a loss is not finite."""
        network = self.variants[0].network
        if self._network is not network:
            self._network = network
            self._plan, self._evaluating = (self._model.bound(network, training) for training in (True, False))
            self._updater = JointUpdater([variant.updater for variant in self.variants], self._values)
            for rehearsals in self._rehearsals:
                rehearsals.forget()
        make = lambda batch: self._gone(network, self._plan, batch, recorded)  # noqa: E731
        rehearsal = self._rehearsals[recorded].next(make, batch, self._model.buffers()) or self._rehearsals[True].rehearsal
        gone = rehearsal.on(batch, recorded) if rehearsal else self._gone(network, self._plan, batch, recorded)
        gone.again = bool(rehearsal)
        return gone if isfinite(sum(gone.loss.tolist())) else None

    def evaluate(self, x: Tensor) -> Tensor:
        """Return what `Variant.evaluate` does for `x` under the switches of the last pass, of every seed: `(seeds, samples, …)`."""
        seeds = len(self.variants)
        with torch.no_grad():
            outputs = [self._evaluating.run(part.repeat(seeds, *[1] * (x.dim() - 1))) for part in x.split(self._at_once)]
        return torch.cat([one.view(seeds, -1, *one.shape[1:]) for one in outputs], dim=1)

    def baseline(self, batch: Batch, step: int) -> Rows:
        """Return what `Variant.baseline` does, of every seed."""
        bare = edit.bare(self.variants[0].network)
        gone = self._gone(bare, self._model.bound(bare, True), batch, True)
        if isfinite(sum(gone.loss.tolist())):
            try:
                rows = self._sizes(gone).rows(again=False)
                return {field: rows[name] for field, name in BASELINE.items() if name in rows}
            except NotFiniteError:
                pass
        own = zip(*(part.chunk(len(self.variants)) for part in batch), strict=True)
        return rows_of([variant.baseline([one], step) for variant, one in zip(self.variants, own, strict=True)])

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

    def update(self, gone: Gone, step: int) -> tuple[VariantFrame, Rows] | None:
        """Have every seed take its step; return what was measured before it, if it was recorded: its median, and rows to add."""
        found = self._measured(gone) if gone.recording else None
        first, rate = self.variants[0], learning_rate(self.variants[0].training, step)
        before = self._values.clone() if found else None
        if rate:
            for variant, gradient in zip(self.variants, gone.gradient, strict=True) if first.clips else ():
                variant.clip(gradient)
            self._updater.step(gone.gradient, rate, first.training.weight_decay)
        if found:
            frame, rows = found
            ratios = update_ratios(before, self._values, first.flat)
            frame.nonfinite += [f"update_ratio:{first.network.layers[k].id}" for k in numpy.isinf(ratios).all(0).nonzero()[0]]
            rows["update_ratio"] = numpy.where(numpy.isinf(ratios), numpy.nan, ratios)
            rows["learning_rate"] = numpy.full((len(ratios), 1), rate)
        return found

    def _losses(self, outputs: Tensor, truths: Sequence[Tensor]) -> Tensor:
        """Return the loss of every seed."""
        loss = self.variants[0].loss
        if loss is cross_entropy and outputs.dim() == 3:
            return loss(outputs.flatten(0, 1), torch.cat(truths), reduction="none").view(len(truths), -1).mean(1)
        return torch.stack([loss(one, truth) for one, truth in zip(outputs, truths, strict=True)])

    def _sizes(self, gone: Gone) -> FrameSizes:
        """Return the sizes of a pass: found out once for all that are made again in its memory."""
        if gone.sizes is None:
            first = self.variants[0].flat
            sizes = StackedSizes(gone.gradient, first)
            gone.sizes = FrameSizes(sizes, measured(gone.network, first, gone.found, gone.gradient[0], gone.recording, sizes))
        return gone.sizes

    def _measured(self, gone: Gone) -> tuple[VariantFrame, Rows]:
        """Return what was measured of every seed, without what comes of its update and without marks."""
        seeds = len(self.variants)
        try:
            found, rows = nothing(seeds), self._sizes(gone).rows(gone.again)
        except NotFiniteError:
            found, rows = median([self._frame(gone, seed) for seed in range(seeds)]), {}
        metrics = [numpy.nan if finite(metric) is None else metric for metric in self._metrics(gone)]
        rows["loss"], rows["metric"] = gone.loss.double().numpy()[:, None], numpy.array(metrics)[:, None]
        return found, rows

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
