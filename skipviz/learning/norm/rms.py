"""RMS norm, as `torch.nn.RMSNorm` has it: ε is the smallest step of the number format."""

from __future__ import annotations

import torch
from torch import nn

from ...network.base import channels
from .axes import Function, channels_last


def function(norm: nn.Module, training: bool, frozen: tuple[slice, ...]) -> Function:
    """Return RMS norm over channels, which reads its input once: torch's reads it twice, so that a fork's sum had another order."""
    weight, width = norm.weight, channels(norm.shape)
    return channels_last(lambda x: torch.rms_norm(x.view_as(x), (width,), weight, None), norm.shape)
