"""Vectors for tokens."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from pydantic import Field

from ..base import NetworkError, Shape, Width, written
from ..kind import Operation, Weights


class Embedding(Operation):
    """Gives each token of a sequence, a number below `vocabulary`, a vector of its own.

    The first layer reads tokens, or a branch's box that reads a further input.
    """

    number: ClassVar = 7
    keys: ClassVar = {"v": "vocabulary", "w": "width", "x": "scaled"}
    reads_tokens: ClassVar = True
    saves_input: ClassVar = False
    kind: Literal["embedding"] = "embedding"
    vocabulary: int = Field(ge=1, le=65536, description="different tokens")
    width: Width = Field(description="features out")
    scaled: bool = Field(False, description="vectors times √width (Vaswani et al. 2017)")

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise NetworkError(f"an embedding reads a sequence of tokens, not {written(shape)}")
        return (shape[0], self.width)

    def parameters(self, shape: Shape) -> dict[str, Shape | None]:
        return {"weight": (self.vocabulary, self.width)}

    def multiplications(self, shape: Shape) -> int:
        return 0

    def written(self, shape: Shape, weights: Weights) -> list[str]:
        module = f"nn.Embedding({self.vocabulary}, {self.width})"
        made = weights.drawn(module, "standard" if weights.scheme == "torch" else None)
        return [made, f"Scale({math.sqrt(self.width)!r})"] if self.scaled else [made]

    def label(self) -> str:
        return f"embed {self.width}"

    def short(self, axes: int = 2) -> str:
        return f"embed {self.width}"


KIND = Embedding
