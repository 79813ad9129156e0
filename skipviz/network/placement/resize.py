"""Interpolated where a state grows, else the nearest position."""

from ..interpolation import written
from ..kind import Placement

KIND = Placement(
    number=3,
    name="resize",
    words="resize",
    images=True,
    copies=True,
    written=lambda state, between: written(state, between, "bilinear" if between.grows else "nearest"),
)
