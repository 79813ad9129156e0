"""Norms as functions of one tensor, with their parameters and running statistics."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..network.base import Shape, channels
from ..network.operation import group_count
from .operation import Function

MOMENTUM = 0.1
"""Share of a batch in batch norm's running statistics; torch's default."""
EPSILON = 1e-5
"""Added to the variance; torch's default."""


class Norm(nn.Module):
    """Batch, layer or group norm of states of one shape, with one weight and one bias a channel.

    `layer` normalises a vector's features (Ba et al. 2016) and all of an image (a group norm of one group);
    `group` has `group_count(channels)` groups (Wu & He 2018).
    """

    def __init__(self, kind: str, shape: Shape) -> None:
        super().__init__()
        self.kind, self.shape = kind, tuple(shape)
        width = channels(shape)
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        if kind == "batch":
            self.register_buffer("running_mean", torch.zeros(width))
            self.register_buffer("running_var", torch.ones(width))

    def function(self, training: bool, frozen: tuple[slice, ...] = ()) -> Function:
        """Return the norm; `frozen` are channels whose running statistics stay as they are."""
        weight, bias, width = self.weight, self.bias, channels(self.shape)
        if self.kind == "batch":
            function = _batch_norm(self, training, frozen)
        elif self.kind == "layer" and len(self.shape) != 3:
            return lambda x: torch.layer_norm(x, (width,), weight, bias, EPSILON)
        else:
            groups = 1 if self.kind == "layer" else group_count(width)
            function = lambda x: torch.group_norm(x, groups, weight, bias, EPSILON)  # noqa: E731
        if len(self.shape) == 2:
            return lambda x: function(x.transpose(1, 2)).transpose(1, 2)
        return function

    def forward(self, x: Tensor, frozen: tuple[slice, ...] = ()) -> Tensor:
        return self.function(self.training, frozen)(x)


def _batch_norm(norm: Norm, training: bool, frozen: tuple[slice, ...]) -> Function:
    weight, bias, mean, variance = norm.weight, norm.bias, norm.running_mean, norm.running_var
    normalise = torch.batch_norm
    on_gpu = weight.is_cuda

    def plain(x: Tensor) -> Tensor:
        if training and x.numel() == mean.numel():  # one value a channel has no variance to remember
            return normalise(x, weight, bias, None, None, True, MOMENTUM, EPSILON, on_gpu)
        return normalise(x, weight, bias, mean, variance, training, MOMENTUM, EPSILON, on_gpu)

    def keeping(x: Tensor) -> Tensor:
        kept = [(part, mean[part].clone(), variance[part].clone()) for part in frozen]
        y = plain(x)
        for part, old_mean, old_variance in kept:  # through .data: the backward pass checks, and does not read, their version
            mean.data[part] = old_mean
            variance.data[part] = old_variance
        return y

    return keeping if training and frozen else plain
