"""Pooling of images and volumes."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field

from ..base import NetworkError, Shape, axes, elements, kernel_words, written
from ..kind import Operation, Weights


class Pool(Operation):
    """Max or mean pooling, by which a stem or a transition shrinks an image."""

    number: ClassVar = 4
    keys: ClassVar = {"r": "reduce", "n": "kernel", "s": "stride", "p": "padding", "l": "ceil"}
    calls: ClassVar = 40
    kind: Literal["pool"] = "pool"
    reduce: Literal["max", "mean"] = Field("max", description="what it takes of each window")
    kernel: int = Field(2, ge=1, le=16, description="pixels a side")
    stride: int = Field(2, ge=1, le=16, description="pixels from one window to the next")
    padding: int = Field(0, ge=0, le=8, description="pixels a side that count for nothing")
    ceil: bool = Field(False, description="a last window may reach over the edge, as in Caffe")

    @property
    def coarsens(self) -> Fraction:
        return Fraction(self.stride)

    def output_shape(self, shape: Shape) -> Shape:
        self._need_image(shape)
        if self.padding > self.kernel // 2:
            raise NetworkError("a pool's padding is at most half its kernel")
        sides = tuple(map(self._side, shape[1:]))
        if min(sides) < 1:
            raise NetworkError(f"a {kernel_words(self.kernel, shape)} pool does not fit into {written(shape[1:])} pixels")
        return (shape[0], *sides)

    def _side(self, side: int) -> int:
        room = side + 2 * self.padding - self.kernel
        if not self.ceil or room < 0:
            return room // self.stride + 1
        windows = -(-room // self.stride) + 1
        return windows - ((windows - 1) * self.stride >= side + self.padding)  # a window starts inside the image

    def saves_more(self, shape: Shape) -> int:
        return 2 * elements(self.output_shape(shape)) if self.reduce == "max" else 0

    def written(self, shape: Shape, weights: Weights) -> list[str]:
        module = f"{'Max' if self.reduce == 'max' else 'Avg'}Pool{axes(shape)}d"
        more = (f", padding={self.padding}" if self.padding else "") + (", ceil_mode=True" if self.ceil else "")
        return [f"nn.{module}({self.kernel}, {self.stride}{more})"]

    def label(self) -> str:
        return f"{self.reduce} pool"

    def short(self, axes: int = 2) -> str:
        return f"{self.reduce} {self.kernel}"


KIND = Pool
