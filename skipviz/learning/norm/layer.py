"""Layer norm: of an image a group norm of one group."""

from __future__ import annotations

import torch
from torch import nn

from ...network.base import channels, is_image
from .axes import EPSILON, Function
from .group import in_groups


def function(norm: nn.Module, training: bool, frozen: tuple[slice, ...]) -> Function:
    """Return layer norm."""
    if is_image(norm.shape):
        return in_groups(norm, 1)
    weight, bias, width = norm.weight, norm.bias, channels(norm.shape)
    return lambda x: torch.layer_norm(x, (width,), weight, bias, EPSILON)
