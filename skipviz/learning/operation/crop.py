"""A window of an image or a volume."""

from __future__ import annotations

from .module import Function, Module


class Crop(Module):
    """Cuts a window out of an image or a volume."""

    def function(self) -> Function:
        kept = (..., *self.op.window(self.shape))
        return lambda x: x[kept]
