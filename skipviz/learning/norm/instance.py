"""Instance norm, always of the batch at hand: it keeps no running statistics, as torch's own does by default."""

from __future__ import annotations

import torch
from torch import nn

from .axes import EPSILON, Function, channels_second


def function(norm: nn.Module, training: bool, frozen: tuple[slice, ...]) -> Function:
    """Return instance norm."""
    weight, bias, on_gpu = norm.weight, norm.bias, norm.weight.is_cuda
    normalise = lambda x: torch.instance_norm(x, weight, bias, None, None, True, 0.1, EPSILON, on_gpu)  # noqa: E731
    return channels_second(normalise, norm.shape)
