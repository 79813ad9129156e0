"""An image's pixels as a sequence."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ..base import Shape, channels, elements
from ..kind import Operation


class Patches(Operation):
    """Pixels as positions, row by row: patches, where a strided convolution made them (Dosovitskiy et al. 2021, ViT)."""

    number: ClassVar = 18
    keys: ClassVar = {"T": "class_token"}
    calls: ClassVar = 40
    saves_input: ClassVar = False
    kind: Literal["patches"] = "patches"
    class_token: bool = Field(False, description="a position before them that reads nothing, a vector learned from zero")

    def output_shape(self, shape: Shape) -> Shape:
        self._need_image(shape)
        return (elements(shape[1:]) + self.class_token, channels(shape))

    def parameters(self, shape: Shape) -> dict[str, Shape | None]:
        return {"weight": (1, channels(shape))} if self.class_token else {}

    def multiplications(self, shape: Shape) -> int:
        return 0

    def arguments(self, shape: Shape) -> dict:
        return {"width": channels(shape)} if self.class_token else {}

    def label(self) -> str:
        return "patches and class token" if self.class_token else "patches"

    def short(self, axes: int = 2) -> str:
        return "patches"


KIND = Patches
