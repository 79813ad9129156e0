"""Forward passes of a step: of one batch, or of several micro-batches whose gradients are summed (gradient accumulation)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import hypot, sqrt

import torch
from torch import Tensor

from ..network import Network
from .frame import Numbers, VariantFrame
from .probe import Gradients
from .recording import Recording
from .signals import Active

Batch = tuple[Tensor, Tensor]
"""Samples, and what is true of them."""


@dataclass(slots=True)
class Earlier:
    """What the micro-batches of a step gave that went backward already."""

    count: int = 1
    """Micro-batches of the step, the last one included."""
    loss: float = 0.0
    gradient: Tensor | None = None
    frames: list[VariantFrame] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    truths: list[Tensor] = field(default_factory=list)
    active: Active = field(default_factory=dict)

    def with_gradient(self, gradient: Tensor) -> Tensor:
        """Return the sum of all gradients up to this one, which is a flat vector."""
        return gradient if self.gradient is None else self.gradient.add_(gradient)


@dataclass(slots=True)
class Pass:
    """The forward pass of a step's last micro-batch, with a recording if it is recorded, and what came of those before it."""

    network: Network
    outputs: Tensor
    truth: Tensor
    loss: Tensor
    recording: Recording | None
    earlier: Earlier
    found: Gradients | None = None
    """What came of it where it went backward already."""
    gradient: Tensor | None = None
    """The flat gradient of it then."""

    def objective(self) -> Tensor:
        """Return this micro-batch's share of the step's loss, which is their mean."""
        return self.loss if self.earlier.count == 1 else self.loss / self.earlier.count

    def value(self) -> float:
        """Return the step's loss."""
        return (self.earlier.loss + self.loss.item()) / self.earlier.count

    def metric(self, metric: Callable[[Tensor, Tensor], float]) -> float:
        """Return the metric of all micro-batches together."""
        outputs, truth = self.outputs.detach(), self.truth
        if self.earlier.count == 1:
            return metric(outputs, truth)
        return metric(torch.cat([*self.earlier.outputs, outputs]), torch.cat([*self.earlier.truths, truth]))


def combined(frames: list[VariantFrame]) -> VariantFrame:
    """Return the last frame, which has the step's parameter gradients and dead units, with every other field as of one batch.

    Norms over the batch add as vectors of different samples do.
    """
    frame = frames[-1]
    if len(frames) == 1:
        return frame
    for name in ("state_grad", "trunk_grad", "skip_grad", "branch_state_grad", "edge_grad"):
        if getattr(frame, name) is not None:
            setattr(frame, name, _merged([getattr(one, name) for one in frames], lambda values: hypot(*values)))
    frame.state_rms = _merged([one.state_rms for one in frames], lambda values: hypot(*values) / sqrt(len(values)))
    frame.state_max = _merged([one.state_max for one in frames], max)
    for name in ("state_grad_mean", "state_zeros", "gate_opening", "mixing"):
        if getattr(frame, name) is not None:
            setattr(frame, name, _merged([getattr(one, name) for one in frames], lambda values: sum(values) / len(values)))
    frame.nonfinite = list(dict.fromkeys(name for one in frames for name in one.nonfinite))
    frame.first_broken = next((one.first_broken for one in frames if one.first_broken), None)
    return frame


def _merged(lists: list[Numbers], merge: Callable[[tuple], float]) -> Numbers:
    return [None if None in values else merge(values) for values in zip(*lists, strict=True)]
