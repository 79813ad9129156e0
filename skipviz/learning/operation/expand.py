"""One state as several streams."""

from __future__ import annotations

from ...network.base import channel_axis
from .module import Function, Module


class Expand(Module):
    """Copies a state into each of its streams."""

    def function(self) -> Function:
        times = [1] * (1 + len(self.shape))
        times[1 + channel_axis(self.shape)] = self.op.streams
        return lambda x: x.repeat(*times)
