"""Up-scaling of images without weights."""

from __future__ import annotations

from functools import partial

from torch.nn import functional as F

from .module import Function, Module, rimmed


class Resize(Module):
    """Makes an image larger."""

    def function(self) -> Function:
        more = {"align_corners": False} if self.op.mode == "bilinear" else {}
        return rimmed(partial(F.interpolate, scale_factor=float(self.op.factor), mode=self.op.mode, **more), self.op)
