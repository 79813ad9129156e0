"""An image's pixels as a sequence."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ..base import Shape, channels, elements
from ..kind import Operation, Weights

SOURCE = '''
class Patches(nn.Module):
    """Lays the pixels of an image out as a sequence, row by row; with a class token, which is learned from zero, before them."""

    def __init__(self, width=None):
        super().__init__()
        self.weight = None if width is None else nn.Parameter(torch.zeros(1, width))

    def forward(self, x):
        x = x.flatten(2).transpose(1, 2)
        return x if self.weight is None else torch.cat([self.weight.expand(len(x), 1, -1), x], 1)
'''


class Patches(Operation):
    """Pixels as positions, row by row: patches, where a strided convolution made them (Dosovitskiy et al. 2021, ViT)."""

    number: ClassVar = 18
    keys: ClassVar = {"T": "class_token"}
    saves_input: ClassVar = False
    helpers: ClassVar = {"Patches": SOURCE}
    kind: Literal["patches"] = "patches"
    class_token: bool = Field(False, description="a position before them that reads nothing, a vector learned from zero")

    def output_shape(self, shape: Shape) -> Shape:
        self._need_image(shape)
        return (elements(shape[1:]) + self.class_token, channels(shape))

    def parameters(self, shape: Shape) -> dict[str, Shape | None]:
        return {"weight": (1, channels(shape))} if self.class_token else {}

    def multiplications(self, shape: Shape) -> int:
        return 0

    def written(self, shape: Shape, weights: Weights) -> list[str]:
        return [f"Patches({channels(shape) if self.class_token else ''})"]

    def label(self) -> str:
        return "patches and class token" if self.class_token else "patches"

    def short(self, axes: int = 2) -> str:
        return "patches"


KIND = Patches
