"""The convolution of images and volumes."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from ...network.base import axes
from .module import Function, Module

CONVOLVE = {2: torch.conv2d, 3: torch.conv3d}
"""By the number of axes."""


class Convolution(Module):
    """A convolution of `(batch, channels, height, width)` or `(batch, channels, depth, height, width)`."""

    def function(self) -> Function:
        weight, bias, stride, padding = self.weight, self.bias, self.op.stride, self.op.pixels_padded()
        convolve, more = CONVOLVE[axes(self.shape)], (self.op.dilation, self.op.groups)
        if self.op.edges != "zeros":
            around, mode = (padding,) * 2 * axes(self.shape), self.op.edges
            return lambda x: convolve(F.pad(x, around, mode), weight, bias, stride, 0, *more)
        if more == (1, 1):
            return lambda x: convolve(x, weight, bias, stride, padding)
        return lambda x: convolve(x, weight, bias, stride, padding, *more)
