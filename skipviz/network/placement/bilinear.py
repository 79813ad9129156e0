"""Interpolated between the middles of positions."""

from ..interpolation import written
from ..kind import Placement

KIND = Placement(
    number=8,
    name="bilinear",
    words="bilinear",
    images=True,
    copies=True,
    written=lambda state, between: written(state, between, "bilinear"),
)
