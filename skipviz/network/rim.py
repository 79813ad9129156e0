"""Zeros that an up-scaling adds around an image: a side that was halved with a pixel left over gets its length back.

As in `F.pad` of many a U-Net half of them come first and the remainder at the end.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

MOST = 32
ROWS, COLUMNS = "rows of zeros added to what comes out, half of them above", "columns of zeros added, half of them on the left"
ExtraRows = Annotated[int, Field(ge=0, le=MOST, title="Extra rows", description=ROWS)]
ExtraColumns = Annotated[int, Field(ge=0, le=MOST, title="Extra columns", description=COLUMNS)]


class Rim:
    """Of an operation with `extra_rows` and `extra_columns`."""

    def around(self) -> tuple[int, int, int, int]:
        """Return how many pixels are added left, right, above and below."""
        rows, columns = self.extra_rows, self.extra_columns
        return columns // 2, columns - columns // 2, rows // 2, rows - rows // 2

    def with_rim(self, sides: tuple[int, ...]) -> tuple[int, ...]:
        """Return height and width with the rim."""
        return sides[0] + self.extra_rows, sides[1] + self.extra_columns

    def rim_written(self) -> list[str]:
        """Return the module, if any, as which a script adds it."""
        return [f"nn.ZeroPad2d({self.around()})"] if any(self.around()) else []

    def rim_label(self) -> str:
        """Return what a label says of it, a blank first, or nothing."""
        return f" padded {self.extra_rows}×{self.extra_columns}" if any(self.around()) else ""
