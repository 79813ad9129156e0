"""Up-scaling of images and volumes without weights."""

from __future__ import annotations

from functools import partial

from torch.nn import functional as F

from ...network.base import axes
from ...network.interpolation import arguments
from .module import Function, Module, rimmed


class Resize(Module):
    """Makes an image or a volume larger."""

    def function(self) -> Function:
        more = arguments(axes(self.shape), self.op.mode)
        return rimmed(partial(F.interpolate, scale_factor=float(self.op.factor), **more), self.op, self.shape)
