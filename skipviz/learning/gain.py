"""The gradient-killing stage: forward unchanged, backward times a factor."""

from __future__ import annotations

import torch
from torch import Tensor


class Gain(torch.autograd.Function):
    """Forward unchanged, backward times a factor: the stage that kills a gradient."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, gain: float) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: Tensor) -> None:
        ctx.gain = inputs[1]

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return (gradient * ctx.gain if ctx.gain else torch.zeros_like(gradient)), None


def with_gain(x: Tensor, gain: float) -> Tensor:
    """Return `x` bit for bit; the gradient that goes back is multiplied by `gain`, and 0 gives exact zeros."""
    return Gain.apply(x, gain)
