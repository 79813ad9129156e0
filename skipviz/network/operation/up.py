"""Up-scaling of images and volumes by a factor."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import ClassVar, Literal

from pydantic import Field

from ..base import Bias, NetworkError, Shape, Width, axes, elements, spatial, written
from ..interpolation import SMOOTH
from ..kind import Operation, Weights
from ..rim import ExtraColumns, ExtraPlanes, ExtraRows, Rim


class Upsampling(Rim, Operation):
    """Up-scaling by `factor`: a transposed convolution, or resizing and then a convolution."""

    number: ClassVar = 3
    calls: ClassVar = 40
    keys: ClassVar = {
        "w": "width",
        "f": "factor",
        "m": "mode",
        "n": "kernel",
        "p": "padding",
        "b": "bias",
        "y": "extra_rows",
        "u": "extra_columns",
        "P": "extra_planes",
    }
    helpers: ClassVar = {"bilinear": "skipviz.learning.operation.up:bilinear"}
    kind: Literal["up"] = "up"
    width: Width = Field(description="channels out")
    factor: int = Field(2, ge=2, le=32, description="times as many pixels a side")
    mode: Literal["transposed", "nearest", "bilinear"] = Field(
        "nearest", description="transposed, or a convolution of pixels that are repeated or interpolated"
    )
    kernel: int = Field(3, ge=1, le=64, description="pixels a side; a transposed one has its stride = factor")
    padding: int | None = Field(
        None, ge=0, le=32, description="pixels a side; None: output side = factor × input side, or the nearest"
    )
    bias: Bias = True
    extra_rows: ExtraRows = 0
    extra_columns: ExtraColumns = 0
    extra_planes: ExtraPlanes = 0

    @property
    def interpolates(self) -> bool:
        return self.mode == "transposed"

    @property
    def saves_input(self) -> bool:
        return self.interpolates

    @property
    def coarsens(self) -> Fraction:
        return Fraction(1, self.factor)

    def pixels_padded(self) -> int:
        if self.padding is not None:
            return self.padding
        return (self.kernel - self.factor) // 2 if self.interpolates else (self.kernel - 1) // 2

    def output_shape(self, shape: Shape) -> Shape:
        self._need_image(shape)
        return (self.width, *self.with_rim(self._sides(shape)))

    def _sides(self, shape: Shape) -> tuple[int, ...]:
        if self.interpolates:
            if self.kernel < self.factor:
                raise NetworkError(f"a transposed convolution by {self.factor} needs a kernel of at least {self.factor}")
            sides = tuple((side - 1) * self.factor + self.kernel - 2 * self.pixels_padded() for side in shape[1:])
        else:
            sides = tuple(side * self.factor + 2 * self.pixels_padded() - self.kernel + 1 for side in shape[1:])
        if min(sides) < 1:
            raise NetworkError(f"up-scaling leaves nothing of {written(shape[1:])} pixels")
        return sides

    def parameters(self, shape: Shape) -> dict[str, Shape | None]:
        ends = (shape[0], self.width) if self.interpolates else (self.width, shape[0])
        weight = *ends, *(self.kernel,) * axes(shape)
        return {"weight": weight, "bias": (self.width,) if self.bias else None}

    def fans(self, shape: Shape) -> tuple[float, float]:
        if not self.interpolates:
            return super().fans(shape)
        area = self.kernel ** axes(shape)
        return shape[0] * area / self.factor ** axes(shape), self.width * area

    def multiplications(self, shape: Shape) -> int:
        return self.parameter_count(shape) * prod(spatial(shape) if self.interpolates else self._sides(shape))

    def saves_more(self, shape: Shape) -> int:
        return 0 if self.interpolates else elements(shape) * self.factor ** axes(shape)

    def written(self, shape: Shape, weights: Weights) -> list[str]:
        padding = f", padding={self.pixels_padded()}" if self.pixels_padded() else ""
        ends = f"{shape[0]}, {self.width}, {self.kernel}"
        more = padding + ("" if self.bias else ", bias=False")
        if not self.interpolates:
            mode = f', mode="{SMOOTH[axes(shape)]}", align_corners=False' if self.mode == "bilinear" else ""
            resized = f"nn.Upsample(scale_factor={self.factor}{mode})"
            return [resized, weights.drawn(f"nn.Conv{axes(shape)}d({ends}{more})"), *self.rim_written(axes(shape))]
        made = f"nn.ConvTranspose{axes(shape)}d({ends}, stride={self.factor}{more})"
        drawn = weights.scaled(f"bilinear({made}, {self.factor})") if weights.scheme == "bilinear" else weights.drawn(made)
        return [drawn, *self.rim_written(axes(shape))]

    def label(self) -> str:
        return f"up {self.width} ×{self.factor}{self.rim_label()}"

    def short(self, axes: int = 2) -> str:
        return f"up {self.factor}"


KIND = Upsampling
