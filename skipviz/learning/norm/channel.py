"""Layer norm over channels alone."""

from __future__ import annotations

import torch
from torch import nn

from ...network.base import channels
from .axes import Function, channels_last

EPSILON = 1e-6
"""ConvNeXt's."""


def function(norm: nn.Module, training: bool, frozen: tuple[slice, ...]) -> Function:
    """Return layer norm over channels."""
    weight, bias, width = norm.weight, norm.bias, channels(norm.shape)
    return channels_last(lambda x: torch.layer_norm(x, (width,), weight, bias, EPSILON), norm.shape)
