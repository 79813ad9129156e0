"""A window of an image or a volume."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ..base import NetworkError, Shape, axes, written
from ..kind import Operation
from ..positions import Between

Side = Annotated[int, Field(ge=1, le=65536)]


class Crop(Operation):
    """Cuts a window out of an image or a volume, by default from its centre."""

    number: ClassVar = 6
    keys: ClassVar = {"z": "size", "o": "offset"}
    saves_input: ClassVar = False
    view: ClassVar = True
    kind: Literal["crop"] = "crop"
    size: tuple[Side, ...] = Field(min_length=2, max_length=3, description="height and width out, of volumes depth first, pixels")
    offset: int | None = Field(None, ge=0, le=65536, description="pixels left out at the start of each axis; None: centred")

    def window(self, shape: Shape) -> tuple[slice, ...]:
        """Return what stays of an image of `shape`, along each axis."""
        return Between(shape[1:], self.size, True, self.offset).window

    def output_shape(self, shape: Shape) -> Shape:
        self._need_image(shape)
        if len(self.size) != axes(shape):
            raise NetworkError(f"{written(self.size)} pixels are no window of {written(shape[1:])}")
        if any(part.start < 0 or part.stop > side for part, side in zip(self.window(shape), shape[1:], strict=True)):
            raise NetworkError(f"{written(self.size)} pixels cannot be cut out of {written(shape[1:])}")
        return (shape[0], *self.size)

    def arguments(self, shape: Shape) -> dict:
        return {"window": self.window(shape)}

    def label(self) -> str:
        return f"crop {written(self.size)}"

    def short(self, axes: int = 2) -> str:
        return "crop"


KIND = Crop
