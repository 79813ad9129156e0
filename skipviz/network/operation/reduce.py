"""Several streams as one state."""

from __future__ import annotations

from math import prod
from typing import ClassVar, Literal

from pydantic import Field

from ..base import Shape, channels, elements, spatial, with_channels
from ..kind import Operation
from ..streams import Streams, width_of


class Reduce(Operation):
    """Weighs n streams into one: what a layer of hyper-connections reads of them (A_m of Zhu et al. 2024, H_pre of Xie et al.
    2025), or, by fixed weights of 1, what stands at their end."""

    number: ClassVar = 14
    keys: ClassVar = {"a": "streams", "i": "mixing", "j": "dynamic", "q": "first"}
    kind: Literal["reduce"] = "reduce"
    streams: Streams = 4
    mixing: Literal["sum", "free", "sinkhorn"] = Field(
        "sum", description="each stream counts 1, by any weight that is learned, or by one between 0 and 1"
    )
    dynamic: bool = Field(False, description="a learned weight depends on what the streams hold, position by position")
    first: int = Field(0, ge=0, le=15, description="the stream, of 0…n − 1, that learned weights read at the start")

    @property
    def reads_streams(self) -> int:
        return self.streams

    def output_shape(self, shape: Shape) -> Shape:
        return with_channels(shape, width_of(self.streams, shape))

    def parameters(self, shape: Shape) -> dict[str, Shape | None]:
        if self.mixing == "sum":
            return {}
        size = (channels(shape), self.streams) if self.mixing == "sinkhorn" else (width_of(self.streams, shape),)
        return {"weight": (self.streams,), **({"map": size, "scale": ()} if self.dynamic else {})}

    def multiplications(self, shape: Shape) -> int:
        dynamic = self.parameters(shape).get("map")
        mapped = 0 if dynamic is None else prod(dynamic) * (1 if self.mixing == "sinkhorn" else self.streams)
        return elements(shape) + mapped * prod(spatial(shape))

    def saves_more(self, shape: Shape) -> int:
        return elements(shape) if self.dynamic and self.mixing != "sum" else 0

    def arguments(self, shape: Shape) -> dict:
        given = {"width": channels(shape), "streams": self.streams, "mixing": self.mixing}
        return given if self.mixing == "sum" else {**given, "first": self.first % self.streams, **self.unusual("dynamic")}

    def label(self) -> str:
        how = {"sum": "the sum", "free": "one", "sinkhorn": "one, by σ"}[self.mixing]
        return f"{self.streams} streams into {how}" + ", dynamic" * (self.dynamic and self.mixing != "sum")

    def short(self, axes: int = 2) -> str:
        return f"{self.streams} → 1"


KIND = Reduce
