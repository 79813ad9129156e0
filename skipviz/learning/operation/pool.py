"""Pooling of images and volumes."""

from __future__ import annotations

from torch.nn import functional as F

from ...network.base import axes
from .module import Function, Module


class Pool(Module):
    """Max or mean pooling of an image or a volume."""

    def function(self) -> Function:
        kernel, stride, padding, ceil = self.op.kernel, self.op.stride, self.op.padding, self.op.ceil
        pool = getattr(F, f"{'max' if self.op.reduce == 'max' else 'avg'}_pool{axes(self.shape)}d")
        return lambda x: pool(x, kernel, stride, padding, ceil_mode=ceil)
