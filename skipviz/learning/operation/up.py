"""Up-scaling of images and volumes."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from ...network.base import axes
from ...network.interpolation import arguments
from .conv import CONVOLVE
from .module import Function, Module, rimmed


class Upsampling(Module):
    """Up-scaling of an image or a volume: a transposed convolution, or resizing and then a convolution."""

    def initialise(self, scheme: str, source: torch.Generator) -> None:
        if scheme == "bilinear":
            bilinear(self, self.op.factor)
        else:
            super().initialise(scheme, source)

    def function(self) -> Function:
        return rimmed(self._bare(), self.op, self.shape)

    def _bare(self) -> Function:
        weight, bias, factor, padding = self.weight, self.bias, self.op.factor, self.op.pixels_padded()
        if self.op.interpolates:
            transposed = F.conv_transpose2d if axes(self.shape) == 2 else F.conv_transpose3d
            return lambda x: transposed(x, weight, bias, factor, padding)
        convolve, more = CONVOLVE[axes(self.shape)], arguments(axes(self.shape), self.op.mode)
        return lambda x: convolve(F.interpolate(x, scale_factor=factor, **more), weight, bias, 1, padding)


@torch.no_grad()
def bilinear(module: nn.Module, factor: int) -> nn.Module:
    """Return a transposed convolution by `factor`, filled so that it interpolates each channel by itself (Long et al. 2015)."""
    weight, side = module.weight, module.weight.shape[-1]
    place = torch.arange(side, device=weight.device, dtype=weight.dtype)
    hat = (1 - (place - (side - 1) / 2).abs() / factor).clamp(min=0)
    spread = hat
    for _ in range(weight.dim() - 3):
        spread = spread[..., None] * hat
    weight.zero_()
    for channel in range(min(weight.shape[:2])):
        weight[channel, channel] = spread
    if module.bias is not None:
        module.bias.zero_()
    return module
