"""The mean over all pixels or positions."""

from __future__ import annotations

from ...network.base import places
from .module import Function, Module


class Mean(Module):
    """One number a channel."""

    def function(self) -> Function:
        along = places(self.shape)
        return lambda x: x.mean(along)
