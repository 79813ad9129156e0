"""The mean over all pixels or positions."""

from __future__ import annotations

from ...network.base import is_image
from .module import Function, Module


class Mean(Module):
    """One number a channel."""

    def function(self) -> Function:
        axes = (2, 3) if is_image(self.shape) else (1,)
        return lambda x: x.mean(axes)
