"""One state as several streams."""

from __future__ import annotations

from typing import ClassVar, Literal

from ..base import Shape, channels, with_channels
from ..kind import Operation
from ..streams import Streams


class Expand(Operation):
    """Copies a state into each of n streams: what hyper-connections begin with, and write a layer's output with."""

    number: ClassVar = 13
    keys: ClassVar = {"a": "streams"}
    saves_input: ClassVar = False
    kind: Literal["expand"] = "expand"
    streams: Streams = 4

    @property
    def gives_streams(self) -> int:
        return self.streams

    def output_shape(self, shape: Shape) -> Shape:
        return with_channels(shape, self.streams * channels(shape))

    def multiplications(self, shape: Shape) -> int:
        return 0

    def arguments(self, shape: Shape) -> dict:
        return {"streams": self.streams}

    def label(self) -> str:
        return f"into {self.streams} streams"

    def short(self, axes: int = 2) -> str:
        return f"1 → {self.streams}"


KIND = Expand
