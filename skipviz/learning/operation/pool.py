"""Pooling of images."""

from __future__ import annotations

from torch.nn import functional as F

from .module import Function, Module


class Pool(Module):
    """Max or mean pooling of an image."""

    def function(self) -> Function:
        kernel, stride, padding, ceil = self.op.kernel, self.op.stride, self.op.padding, self.op.ceil
        pool = F.max_pool2d if self.op.reduce == "max" else F.avg_pool2d
        return lambda x: pool(x, kernel, stride, padding, ceil_mode=ceil)
