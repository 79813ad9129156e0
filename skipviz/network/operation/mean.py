"""The mean over all pixels or positions."""

from __future__ import annotations

from typing import ClassVar, Literal

from ..base import NetworkError, Shape, channels, elements
from ..kind import Operation


class Mean(Operation):
    """One number a channel: what a squeeze-and-excitation begins with (Hu et al. 2018)."""

    number: ClassVar = 11
    kind: Literal["mean"] = "mean"
    saves_input: ClassVar = False

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) == 1:
            raise NetworkError("a mean is over pixels or positions, and features have none")
        return (channels(shape),)

    def multiplications(self, shape: Shape) -> int:
        return elements(shape)

    def label(self) -> str:
        return "mean over all"

    def short(self, axes: int = 2) -> str:
        return "mean"


KIND = Mean
