"""Layer norm over channels alone; of an image written out, so that states and their gradients keep their place in memory."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...network.base import axes, channels, is_image
from .axes import Function

EPSILON = 1e-6
"""ConvNeXt's."""


def function(norm: nn.Module, training: bool, frozen: tuple[slice, ...]) -> Function:
    """Return layer norm over channels. It reads its input once, so that a fork sums gradients in one order, recorded or not."""
    weight, bias, width = norm.weight, norm.bias, channels(norm.shape)
    each = (..., *(None,) * axes(norm.shape))

    def pixels(x: Tensor) -> Tensor:
        x = x.view_as(x).to(weight.dtype)
        variance, mean = torch.var_mean(x, 1, correction=0, keepdim=True)
        return (x - mean) * torch.rsqrt(variance + EPSILON) * weight[each] + bias[each]

    return pixels if is_image(norm.shape) else lambda x: torch.layer_norm(x, (width,), weight, bias, EPSILON)
