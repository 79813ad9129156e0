"""Up-scaling of images and volumes without weights."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field

from ..base import Shape, axes
from ..interpolation import SMOOTH
from ..kind import Operation, Weights
from ..rim import ExtraColumns, ExtraPlanes, ExtraRows, Rim


class Resize(Rim, Operation):
    """Makes each side of an image or a volume `factor` times as long."""

    number: ClassVar = 12
    keys: ClassVar = {"f": "factor", "m": "mode", "y": "extra_rows", "u": "extra_columns", "P": "extra_planes"}
    saves_input: ClassVar = False
    kind: Literal["resize"] = "resize"
    factor: int = Field(2, ge=2, le=32, description="output side over input side")
    mode: Literal["nearest", "bilinear"] = Field("nearest", description="pixels repeated, or interpolated between their middles")
    extra_rows: ExtraRows = 0
    extra_columns: ExtraColumns = 0
    extra_planes: ExtraPlanes = 0

    @property
    def coarsens(self) -> Fraction:
        return Fraction(1, self.factor)

    def output_shape(self, shape: Shape) -> Shape:
        self._need_image(shape)
        return (shape[0], *self.with_rim(tuple(side * self.factor for side in shape[1:])))

    def written(self, shape: Shape, weights: Weights) -> list[str]:
        mode = f', mode="{SMOOTH[axes(shape)]}", align_corners=False' if self.mode == "bilinear" else ""
        return [f"nn.Upsample(scale_factor={self.factor}{mode})", *self.rim_written(axes(shape))]

    def label(self) -> str:
        return f"resize ×{self.factor}{self.rim_label()}"

    def short(self, axes: int = 2) -> str:
        return f"resize {self.factor}"


KIND = Resize
