"""The first position of a sequence."""

from __future__ import annotations

from typing import ClassVar, Literal

from ..base import Shape
from ..kind import Operation


class First(Operation):
    """What stands at the first position: a class token, which has attended to all others (Devlin et al. 2019)."""

    number: ClassVar = 19
    saves_input: ClassVar = False
    view: ClassVar = True
    kind: Literal["first"] = "first"

    def output_shape(self, shape: Shape) -> Shape:
        self._need_sequence(shape)
        return (shape[1],)

    def label(self) -> str:
        return "first position"

    def short(self, axes: int = 2) -> str:
        return "first"


KIND = First
