"""Up-scaling of images by a factor."""

from __future__ import annotations

from math import prod
from typing import ClassVar, Literal

from pydantic import Field

from ..base import NetworkError, Shape, Width, elements, spatial, written
from ..kind import Operation


class Upsampling(Operation):
    """Up-scaling by `factor`: a transposed convolution, or resizing and then a convolution."""

    number: ClassVar = 3
    kind: Literal["up"] = "up"
    width: Width = Field(description="channels out")
    factor: int = Field(2, ge=2, le=32)
    mode: Literal["transposed", "nearest", "bilinear"] = "nearest"
    kernel: int = Field(3, ge=1, le=64, description="pixels a side; a transposed one has its stride = factor")
    padding: int | None = Field(
        None, ge=0, le=32, description="pixels a side; None: output side = factor × input side, or the nearest"
    )
    bias: bool = True

    @property
    def transposed(self) -> bool:
        return self.mode == "transposed"

    def pixels_padded(self) -> int:
        if self.padding is not None:
            return self.padding
        return (self.kernel - self.factor) // 2 if self.transposed else (self.kernel - 1) // 2

    def output_shape(self, shape: Shape) -> Shape:
        self._need_image(shape)
        if self.transposed:
            if self.kernel < self.factor:
                raise NetworkError(f"a transposed convolution by {self.factor} needs a kernel of at least {self.factor}")
            sides = tuple((side - 1) * self.factor + self.kernel - 2 * self.pixels_padded() for side in shape[1:])
        else:
            sides = tuple(side * self.factor + 2 * self.pixels_padded() - self.kernel + 1 for side in shape[1:])
        if min(sides) < 1:
            raise NetworkError(f"up-scaling leaves nothing of {written(shape[1:])} pixels")
        return (self.width, *sides)

    def parameters(self, shape: Shape) -> dict[str, Shape | None]:
        ends = (shape[0], self.width) if self.transposed else (self.width, shape[0])
        weight = *ends, self.kernel, self.kernel
        return {"weight": weight, "bias": (self.width,) if self.bias else None}

    def fans(self, shape: Shape) -> tuple[float, float]:
        if not self.transposed:
            return super().fans(shape)
        return shape[0] * self.kernel**2 / self.factor**2, self.width * self.kernel**2

    def multiplications(self, shape: Shape) -> int:
        if not self.transposed:
            return super().multiplications(shape)
        return self.parameter_count(shape) * prod(spatial(shape))

    def saves_more(self, shape: Shape) -> int:
        return 0 if self.transposed else elements(shape) * self.factor**2

    def label(self) -> str:
        return f"up {self.width} ×{self.factor}"


KIND = Upsampling
