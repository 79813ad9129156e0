"""The convolution along a sequence."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from .module import Function, Module


class SequenceConvolution(Module):
    """A convolution of `(batch, length, width)` along its length."""

    def function(self) -> Function:
        weight, bias, around, convolve = self.weight, self.bias, self.op.around, torch.conv1d
        more = self.op.dilation, self.op.groups
        return lambda x: convolve(F.pad(x.transpose(1, 2), around), weight, bias, 1, 0, *more).transpose(1, 2)
