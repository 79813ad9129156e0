"""RMS norm, as `torch.nn.RMSNorm` has it: ε is the smallest step of the number format."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...network.base import channels, is_image
from .axes import Function


def pixel_rms_norm(x: Tensor, weight: Tensor) -> Tensor:
    """Return RMS norm over the channels of each pixel. It reads its input once, so that a fork sums gradients in one order."""
    x = x.view_as(x).to(weight.dtype)
    root = torch.rsqrt(x.square().mean(1, keepdim=True) + torch.finfo(x.dtype).eps)
    return x * root * weight.view(-1, *[1] * (x.dim() - 2))


def function(norm: nn.Module, training: bool, frozen: tuple[slice, ...]) -> Function:
    """Return RMS norm over channels."""
    weight, width = norm.weight, channels(norm.shape)
    if is_image(norm.shape):
        return lambda x: pixel_rms_norm(x, weight)
    return lambda x: torch.rms_norm(x.view_as(x), (width,), weight, None)
