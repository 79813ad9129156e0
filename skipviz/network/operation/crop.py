"""A window of an image."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ..base import NetworkError, Shape, written
from ..kind import Operation, Weights

Side = Annotated[int, Field(ge=1, le=65536)]


SOURCE = '''
class Crop(nn.Module):
    """Cuts a window out of an image."""

    def __init__(self, rows, columns):
        super().__init__()
        self.rows, self.columns = rows, columns

    def forward(self, x):
        return x[..., self.rows, self.columns]
'''


class Crop(Operation):
    """Cuts a window out of an image, by default from its centre."""

    number: ClassVar = 6
    keys: ClassVar = {"z": "size", "o": "offset"}
    helpers: ClassVar = {"Crop": SOURCE}
    saves_input: ClassVar = False
    view: ClassVar = True
    kind: Literal["crop"] = "crop"
    size: tuple[Side, Side] = Field(description="height and width out, pixels")
    offset: int | None = Field(None, ge=0, le=65536, description="pixels left out above and on the left; None: centred")

    def window(self, shape: Shape) -> tuple[slice, slice]:
        """Return the rows and columns that stay of an image of `shape`."""
        firsts = [
            (side - kept) // 2 if self.offset is None else self.offset for side, kept in zip(shape[1:], self.size, strict=True)
        ]
        rows, columns = (slice(first, first + kept) for first, kept in zip(firsts, self.size, strict=True))
        return rows, columns

    def output_shape(self, shape: Shape) -> Shape:
        self._need_image(shape)
        if any(part.start < 0 or part.stop > side for part, side in zip(self.window(shape), shape[1:], strict=True)):
            raise NetworkError(f"{written(self.size)} pixels cannot be cut out of {written(shape[1:])}")
        return (shape[0], *self.size)

    def written(self, shape: Shape, weights: Weights) -> list[str]:
        return [f"Crop({', '.join(f'slice({part.start}, {part.stop})' for part in self.window(shape))})"]

    def label(self) -> str:
        return f"crop {written(self.size)}"

    def short(self) -> str:
        return "crop"


KIND = Crop
