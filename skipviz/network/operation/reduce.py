"""Several streams as one state."""

from __future__ import annotations

from math import prod
from typing import ClassVar, Literal

from pydantic import Field

from ..base import Shape, channels, elements, spatial, with_channels
from ..kind import Operation, Weights
from ..streams import Streams, width_of

SOURCE = '''
class Reduce(nn.Module):
    """Streams weighed into one: by any weights (Zhu et al. 2024) or, as `sinkhorn`, by those between 0 and 1 (Xie et al. 2025)."""

    def __init__(self, width, streams, mixing, first=0, dynamic=False):
        super().__init__()
        self.streams, self.width, self.positive = streams, width // streams, mixing == "sinkhorn"
        if mixing == "sum":
            return
        weight = torch.zeros(streams)
        weight.fill_(-math.log(4 * streams - 5) if self.positive else 0.0)[first] = math.log(3) if self.positive else 1.0
        self.weight, self.map = nn.Parameter(weight), None
        if dynamic:
            self.map = nn.Parameter(torch.zeros((width, streams) if self.positive else self.width))
            self.scale = nn.Parameter(torch.full((), 0.01))

    def forward(self, x):
        x = x.movedim(1, -1) if x.dim() > 3 else x.view_as(x)
        streams = x.unflatten(-1, (self.streams, -1))
        out = streams.sum(-2) if not hasattr(self, "weight") else (self.weights(x, streams).unsqueeze(-2) @ streams).squeeze(-2)
        return out.movedim(-1, 1) if x.dim() > 3 else out

    def weights(self, x, streams):
        weight = self.weight
        if self.map is not None and self.positive:
            weight = weight + self.scale * (torch.rms_norm(x, x.shape[-1:]) @ self.map)
        elif self.map is not None:
            weight = weight + self.scale * torch.tanh(nn.functional.layer_norm(streams, (self.width,)) @ self.map)
        return torch.sigmoid(weight) if self.positive else weight
'''


class Reduce(Operation):
    """Weighs n streams into one: what a layer of hyper-connections reads of them (A_m of Zhu et al. 2024, H_pre of Xie et al.
    2025), or, by fixed weights of 1, what stands at their end."""

    number: ClassVar = 14
    keys: ClassVar = {"a": "streams", "i": "mixing", "j": "dynamic", "q": "first"}
    helpers: ClassVar = {"Reduce": SOURCE}
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

    def written(self, shape: Shape, weights: Weights) -> list[str]:
        more = (f", first={self.first % self.streams}" if self.mixing != "sum" else "") + ", dynamic=True" * self.dynamic
        return [f'Reduce({channels(shape)}, {self.streams}, "{self.mixing}"{more})']

    def label(self) -> str:
        how = {"sum": "the sum", "free": "one", "sinkhorn": "one, by σ"}[self.mixing]
        return f"{self.streams} streams into {how}" + ", dynamic" * (self.dynamic and self.mixing != "sum")

    def short(self, axes: int = 2) -> str:
        return f"{self.streams} → 1"


KIND = Reduce
