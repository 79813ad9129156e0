"""A module of somebody's own, as it was watched: what it does is not known, what it gave is."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ..base import Shape, elements
from ..kind import Operation


class Watched(Operation):
    """A box of a network that was captured while it ran. It can be drawn and measured, not built: the code is its owner's."""

    number: ClassVar = 20
    fills: ClassVar = ()
    recorded_only: ClassVar = True
    kind: Literal["watched"] = "watched"
    title: str = Field("", max_length=80, description="what it does, in its owner's or torch's words")
    letters: str = Field("", max_length=16, description="the same in few letters")
    path: str = Field("", max_length=400, description="of the module, as `named_modules` has it")
    shape: tuple[int, ...] = Field(min_length=1, max_length=4, description="of what it gave, without the batch")
    weights: int = Field(0, ge=0, le=2**53, description="numbers that it learns")
    tokens: bool = Field(False, description="whether it reads whole numbers, which have no gradient")

    @property
    def reads_tokens(self) -> bool:
        """Whether it reads tokens."""
        return self.tokens

    @property
    def alike(self) -> tuple:
        return self.title, self.shape, self.weights

    def output_shape(self, shape: Shape) -> Shape:
        return tuple(self.shape)

    def parameters(self, shape: Shape) -> dict[str, Shape | None]:
        return {"weight": (self.weights,)} if self.weights else {}

    def multiplications(self, shape: Shape) -> int:
        return max(self.weights, elements(self.shape))

    def label(self) -> str:
        return self.title or self.path.rpartition(".")[2] or "module"

    def short(self, axes: int = 2) -> str:
        return self.letters or self.path.rpartition(".")[2][:12]


KIND = Watched
