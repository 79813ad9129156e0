"""Up-scaling of images."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .module import Function, Module, rimmed


class Upsampling(Module):
    """Up-scaling of an image: a transposed convolution, or resizing and then a convolution."""

    def initialise(self, scheme: str, generator: torch.Generator) -> None:
        if scheme == "bilinear":
            fill_bilinear(self.weight, self.bias, self.op.factor)
        else:
            super().initialise(scheme, generator)

    def function(self) -> Function:
        return rimmed(self._bare(), self.op)

    def _bare(self) -> Function:
        weight, bias, factor, padding = self.weight, self.bias, self.op.factor, self.op.pixels_padded()
        if self.op.interpolates:
            return lambda x: F.conv_transpose2d(x, weight, bias, factor, padding)
        if self.op.mode == "nearest":
            return lambda x: torch.conv2d(F.interpolate(x, scale_factor=factor), weight, bias, 1, padding)
        return lambda x: torch.conv2d(
            F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False), weight, bias, 1, padding
        )


def fill_bilinear(weight: Tensor, bias: Tensor | None, factor: int) -> None:
    """Fill a transposed convolution's weight so that it interpolates each channel by itself (Long et al. 2015)."""
    side = weight.shape[-1]
    place = torch.arange(side, device=weight.device, dtype=weight.dtype)
    hat = (1 - (place - (side - 1) / 2).abs() / factor).clamp(min=0)
    with torch.no_grad():
        weight.zero_()
        for channel in range(min(weight.shape[:2])):
            weight[channel, channel] = hat[:, None] * hat
        if bias is not None:
            bias.zero_()
