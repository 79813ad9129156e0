"""A linear map with a bias."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ..base import Bias, Shape, Width, elements, is_image
from ..kind import Operation, Weights


class Linear(Operation):
    """`y = W x + b`; an image is flattened first, a sequence is mapped position by position."""

    number: ClassVar = 1
    keys: ClassVar = {"w": "width", "b": "bias"}
    kind: Literal["linear"] = "linear"
    width: Width = Field(description="features out")
    bias: Bias = True

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0], self.width) if len(shape) == 2 else (self.width,)

    def parameters(self, shape: Shape) -> dict[str, Shape | None]:
        weight = self.width, shape[1] if len(shape) == 2 else elements(shape)
        return {"weight": weight, "bias": (self.width,) if self.bias else None}

    def written(self, shape: Shape, weights: Weights) -> list[str]:
        flat = ["nn.Flatten()"] if is_image(shape) else []
        read = shape[1] if len(shape) == 2 else elements(shape)
        return [*flat, weights.drawn(f"nn.Linear({read}, {self.width}{'' if self.bias else ', bias=False'})")]

    def label(self) -> str:
        return f"linear {self.width}"

    def short(self, axes: int = 2) -> str:
        return f"lin {self.width}"


KIND = Linear
