"""Vectors for places in a sequence."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ..base import Shape
from ..kind import Operation


class Position(Operation):
    """Adds to each position of a sequence a vector that says where it is (Vaswani et al. 2017), fixed or learned."""

    number: ClassVar = 8
    keys: ClassVar = {"m": "mode"}
    saves_input: ClassVar = False
    fills: ClassVar = ()
    kind: Literal["position"] = "position"
    mode: Literal["sinusoidal", "learned"] = Field("sinusoidal", description="sines and cosines, or vectors that are learned")

    def output_shape(self, shape: Shape) -> Shape:
        self._need_sequence(shape)
        return shape

    def parameters(self, shape: Shape) -> dict[str, Shape | None]:
        return {"weight": shape} if self.mode == "learned" else {}

    def multiplications(self, shape: Shape) -> int:
        return 0

    def arguments(self, shape: Shape) -> dict:
        return {"length": shape[0], "width": shape[1], **({"learned": True} if self.mode == "learned" else {})}

    def short(self, axes: int = 2) -> str:
        return "pos"


KIND = Position
