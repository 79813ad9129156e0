"""Batch norm, and its running statistics."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .axes import EPSILON, Function, channels_second

MOMENTUM = 0.1
"""Share of a batch in the running statistics; torch's default."""


def function(norm: nn.Module, training: bool, frozen: tuple[slice, ...]) -> Function:
    """Return batch norm; in training each batch's own statistics, of which the running ones take a share."""
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

    return channels_second(keeping if training and frozen else plain, norm.shape)
