"""One state as several streams."""

from __future__ import annotations

from torch import Tensor, nn


class Expand(nn.Module):
    """Copies a state into each of its streams, which are groups of channels."""

    def __init__(self, streams: int) -> None:
        super().__init__()
        self.streams = streams

    def forward(self, x: Tensor) -> Tensor:
        axis = 1 if x.dim() > 3 else x.dim() - 1
        return x.repeat(*(self.streams if place == axis else 1 for place in range(x.dim())))
