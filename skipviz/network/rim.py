"""Zeros that an up-scaling adds around an image or a volume: a side that was halved with a pixel left over gets its length back.

As in `F.pad` of many a U-Net half of them come first and the remainder at the end.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .base import NetworkError, written

MOST = 32
PLANES = "planes of zeros added to a volume that comes out, half of them before it"
ROWS, COLUMNS = "rows of zeros added to what comes out, half of them above", "columns of zeros added, half of them on the left"
ExtraRows = Annotated[int, Field(ge=0, le=MOST, title="Extra rows", description=ROWS)]
ExtraColumns = Annotated[int, Field(ge=0, le=MOST, title="Extra columns", description=COLUMNS)]
ExtraPlanes = Annotated[int, Field(ge=0, le=MOST, title="Extra planes", description=PLANES)]

EXTRA = ("extra_planes", "extra_rows", "extra_columns")
"""The fields, in the order of the axes of a volume; an image has the last two."""


class Rim:
    """Of an operation with `extra_planes`, `extra_rows` and `extra_columns`."""

    def extra(self, axes: int) -> tuple[int, ...]:
        """Return how many pixels are added along each of so many axes."""
        return tuple(getattr(self, name) for name in EXTRA[-axes:])

    def around(self, axes: int) -> tuple[int, ...]:
        """Return how many pixels are added before and behind each axis, the last one first."""
        return tuple(part for extra in reversed(self.extra(axes)) for part in (extra // 2, extra - extra // 2))

    def with_rim(self, sides: tuple[int, ...]) -> tuple[int, ...]:
        """Return the sides with the rim; raises `NetworkError`."""
        if self.extra_planes and len(sides) < 3:
            raise NetworkError("extra planes are of volumes, and an image has none")
        return tuple(side + extra for side, extra in zip(sides, self.extra(len(sides)), strict=True))

    def rim_written(self, axes: int) -> list[str]:
        """Return the module, if any, as which a script adds it."""
        return [f"nn.ZeroPad{axes}d({self.around(axes)})"] if any(self.extra(axes)) else []

    def rim_label(self) -> str:
        """Return what a label says of it, a blank first, or nothing."""
        return f" padded {written(self.extra(3 if self.extra_planes else 2))}" if any(self.extra(3)) else ""
