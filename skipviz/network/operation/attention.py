"""Self-attention."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ..base import Bias, NetworkError, Shape, elements
from ..kind import Operation

MAX_ATTENDED = 4096
"""Positions; attention keeps their square in memory for every head."""


class Attention(Operation):
    """Multi-head self-attention over the positions of a sequence (Vaswani et al. 2017)."""

    number: ClassVar = 9
    keys: ClassVar = {"h": "heads", "c": "causal", "b": "bias"}
    calls: ClassVar = 160
    attends: ClassVar = True
    fills: ClassVar = ("torch", "glorot")
    kind: Literal["attention"] = "attention"
    heads: int = Field(4, ge=1, le=64, description="that look by themselves, each at a share of the width")
    causal: bool = Field(False, description="a position sees itself and those before it only")
    bias: Bias = True

    @property
    def looks_ahead(self) -> bool:
        return not self.causal

    def output_shape(self, shape: Shape) -> Shape:
        self._need_sequence(shape)
        if shape[1] % self.heads:
            raise NetworkError(f"{self.heads} heads need a width that they divide, not {shape[1]}")
        if shape[0] > MAX_ATTENDED:
            raise NetworkError(f"attention reaches over at most {MAX_ATTENDED:,} positions, not {shape[0]:,}")
        return shape

    def parameters(self, shape: Shape) -> dict[str, Shape | None]:
        width, bias = shape[1], self.bias
        return {
            "weight": (3 * width, width),
            "bias": (3 * width,) if bias else None,
            "out_weight": (width, width),
            "out_bias": (width,) if bias else None,
        }

    def multiplications(self, shape: Shape) -> int:
        return super().multiplications(shape) + 2 * shape[0] * elements(shape)

    def saves_more(self, shape: Shape) -> int:
        return 4 * elements(shape) + self.heads * shape[0] ** 2

    def arguments(self, shape: Shape) -> dict:
        return {"width": shape[1], "heads": self.heads, **self.unusual("causal", "bias")}

    def label(self) -> str:
        return f"attention ×{self.heads}"

    def short(self, axes: int = 2) -> str:
        return f"attn {self.heads}"


KIND = Attention
