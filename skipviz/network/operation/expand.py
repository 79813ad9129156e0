"""One state as several streams."""

from __future__ import annotations

from typing import ClassVar, Literal

from ..base import Shape, channels, with_channels
from ..kind import Operation, Weights
from ..streams import Streams

SOURCE = '''
class Expand(nn.Module):
    """Copies a state into each of its streams, which are groups of channels."""

    def __init__(self, streams):
        super().__init__()
        self.streams = streams

    def forward(self, x):
        axis = 1 if x.dim() > 3 else x.dim() - 1
        return x.repeat(*(self.streams if place == axis else 1 for place in range(x.dim())))
'''


class Expand(Operation):
    """Copies a state into each of n streams: what hyper-connections begin with, and write a layer's output with."""

    number: ClassVar = 13
    keys: ClassVar = {"a": "streams"}
    saves_input: ClassVar = False
    helpers: ClassVar = {"Expand": SOURCE}
    kind: Literal["expand"] = "expand"
    streams: Streams = 4

    @property
    def gives_streams(self) -> int:
        return self.streams

    def output_shape(self, shape: Shape) -> Shape:
        return with_channels(shape, self.streams * channels(shape))

    def multiplications(self, shape: Shape) -> int:
        return 0

    def written(self, shape: Shape, weights: Weights) -> list[str]:
        return [f"Expand({self.streams})"]

    def label(self) -> str:
        return f"into {self.streams} streams"

    def short(self, axes: int = 2) -> str:
        return f"1 → {self.streams}"


KIND = Expand
