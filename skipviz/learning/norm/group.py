"""Group norm."""

from __future__ import annotations

import torch
from torch import nn

from ...network.base import channels
from ...network.norm.group import group_count
from .axes import EPSILON, Function, channels_second


def in_groups(norm: nn.Module, groups: int) -> Function:
    """Return the norm of so many groups of channels."""
    weight, bias = norm.weight, norm.bias
    return channels_second(lambda x: torch.group_norm(x, groups, weight, bias, EPSILON), norm.shape)


def function(norm: nn.Module, training: bool, frozen: tuple[slice, ...]) -> Function:
    """Return group norm."""
    return in_groups(norm, group_count(channels(norm.shape)))
