"""The convolution of images."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from .module import Function, Module


class Convolution(Module):
    """A square convolution of `(batch, channels, height, width)`."""

    def function(self) -> Function:
        weight, bias, stride, padding, convolve = self.weight, self.bias, self.op.stride, self.op.pixels_padded(), torch.conv2d
        more = self.op.dilation, self.op.groups
        if self.op.edges != "zeros":
            around, mode = (padding,) * 4, self.op.edges
            return lambda x: convolve(F.pad(x, around, mode), weight, bias, stride, 0, *more)
        if more == (1, 1):
            return lambda x: convolve(x, weight, bias, stride, padding)
        return lambda x: convolve(x, weight, bias, stride, padding, *more)
