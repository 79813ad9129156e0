"""Vectors for places in a sequence."""

from __future__ import annotations

from typing import ClassVar, Literal

from ..base import Shape
from ..kind import Operation


class Position(Operation):
    """Adds to each position of a sequence a vector that says where it is (Vaswani et al. 2017), fixed or learned."""

    number: ClassVar = 8
    saves_input: ClassVar = False
    kind: Literal["position"] = "position"
    mode: Literal["sinusoidal", "learned"] = "sinusoidal"

    def output_shape(self, shape: Shape) -> Shape:
        self._need_sequence(shape)
        return shape

    def parameters(self, shape: Shape) -> dict[str, Shape | None]:
        return {"weight": shape} if self.mode == "learned" else {}

    def multiplications(self, shape: Shape) -> int:
        return 0


KIND = Position
