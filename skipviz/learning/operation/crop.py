"""A window of an image."""

from __future__ import annotations

from .module import Function, Module


class Crop(Module):
    """Cuts a window out of an image."""

    def function(self) -> Function:
        rows, columns = self.op.window(self.shape)
        return lambda x: x[..., rows, columns]
