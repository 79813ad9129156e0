"""Layer norm over channels alone; of an image written out, so that states and their gradients keep their place in memory."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...network.base import channels, is_image
from .axes import Function

EPSILON = 1e-6
"""ConvNeXt's."""


def pixel_layer_norm(x: Tensor, weight: Tensor, bias: Tensor, epsilon: float) -> Tensor:
    """Return layer norm over the channels of each pixel. It reads its input once, so that a fork sums gradients in one order."""
    x = x.view_as(x).to(weight.dtype)
    variance, mean = torch.var_mean(x, 1, correction=0, keepdim=True)
    weight, bias = (part.view(-1, *[1] * (x.dim() - 2)) for part in (weight, bias))
    return (x - mean) * torch.rsqrt(variance + epsilon) * weight + bias


def function(norm: nn.Module, training: bool, frozen: tuple[slice, ...]) -> Function:
    """Return layer norm over channels."""
    weight, bias, width = norm.weight, norm.bias, channels(norm.shape)
    if is_image(norm.shape):
        return lambda x: pixel_layer_norm(x, weight, bias, EPSILON)
    return lambda x: torch.layer_norm(x, (width,), weight, bias, EPSILON)
