"""Batch norm, and its running statistics."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .axes import Function, channels_second


def batch_norm(
    x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, training: bool, frozen: tuple[slice, ...]
) -> Tensor:
    """Return batch norm, with torch's defaults, of channels that are axis 1.

    In training it takes each batch's own statistics, of which the running ones take a share, but for `frozen` channels.
    """
    kept = [(part, mean[part].clone(), variance[part].clone()) for part in frozen if training]
    known = (None, None) if training and x.numel() == mean.numel() else (mean, variance)  # one value a channel has no variance
    y = torch.batch_norm(x, weight, bias, *known, training, 0.1, 1e-5, x.is_cuda)
    for part, old_mean, old_variance in kept:  # through .data: the backward pass checks, and does not read, their version
        mean.data[part], variance.data[part] = old_mean, old_variance
    return y


def function(norm: nn.Module, training: bool, frozen: tuple[slice, ...]) -> Function:
    """Return batch norm."""
    weight, bias, mean, variance = norm.weight, norm.bias, norm.running_mean, norm.running_var
    return channels_second(lambda x: batch_norm(x, weight, bias, mean, variance, training, frozen), norm.shape)
