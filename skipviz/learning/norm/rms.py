"""RMS norm, as `torch.nn.RMSNorm` has it: ε is the smallest step of the number format."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...network.base import axes, channels, is_image
from .axes import Function


def function(norm: nn.Module, training: bool, frozen: tuple[slice, ...]) -> Function:
    """Return RMS norm over channels. It reads its input once, so that a fork sums gradients in one order, recorded or not."""
    weight, width, each = norm.weight, channels(norm.shape), (..., *(None,) * axes(norm.shape))

    def pixels(x: Tensor) -> Tensor:
        x = x.view_as(x).to(weight.dtype)
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + torch.finfo(x.dtype).eps) * weight[each]

    return pixels if is_image(norm.shape) else lambda x: torch.rms_norm(x.view_as(x), (width,), weight, None)
