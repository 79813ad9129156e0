"""Vectors for places in a sequence."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ..base import Shape
from ..kind import Operation, Weights

SINUSOIDAL = '''
class Position(nn.Module):
    """Adds to each position sin and cos of position / 10000^(2i/width) in turns (Vaswani et al. 2017)."""

    def __init__(self, length, width):
        super().__init__()
        column = torch.arange(width)
        angle = torch.arange(length)[:, None] / 10000 ** ((column - column % 2) / width)
        self.table = torch.where(column % 2 == 0, angle.sin(), angle.cos())

    def forward(self, x):
        return x + self.table
'''

LEARNED = '''
class LearnedPosition(nn.Module):
    """Adds to each position a vector that is learned."""

    def __init__(self, length, width, *names, spread=0.02, factor=1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(length, width))
        self.weight.data.normal_(0.0, spread, generator=generator(*names)).mul_(factor)

    def forward(self, x):
        return x + self.weight
'''


class Position(Operation):
    """Adds to each position of a sequence a vector that says where it is (Vaswani et al. 2017), fixed or learned."""

    number: ClassVar = 8
    keys: ClassVar = {"m": "mode"}
    helpers: ClassVar = {"Position": SINUSOIDAL, "LearnedPosition": LEARNED}
    saves_input: ClassVar = False
    kind: Literal["position"] = "position"
    mode: Literal["sinusoidal", "learned"] = Field("sinusoidal", description="sines and cosines, or vectors that are learned")

    def output_shape(self, shape: Shape) -> Shape:
        self._need_sequence(shape)
        return shape

    def parameters(self, shape: Shape) -> dict[str, Shape | None]:
        return {"weight": shape} if self.mode == "learned" else {}

    def multiplications(self, shape: Shape) -> int:
        return 0

    def written(self, shape: Shape, weights: Weights) -> list[str]:
        if self.mode == "sinusoidal":
            return [f"Position({shape[0]}, {shape[1]})"]
        spread = ", spread=0.0" if weights.scheme == "zero" else ""
        return [f"LearnedPosition({shape[0]}, {shape[1]}, {weights.names}{spread}{weights.options(scheme=False)})"]

    def short(self, axes: int = 2) -> str:
        return "pos"


KIND = Position
