"""The convolution of images."""

from __future__ import annotations

import torch

from .module import Function, Module


class Convolution(Module):
    """A square convolution of `(batch, channels, height, width)`."""

    def function(self) -> Function:
        weight, bias, stride, padding, convolve = self.weight, self.bias, self.op.stride, self.op.pixels_padded(), torch.conv2d
        more = self.op.dilation, self.op.groups
        if more == (1, 1):
            return lambda x: convolve(x, weight, bias, stride, padding)
        return lambda x: convolve(x, weight, bias, stride, padding, *more)
