"""The nearest position."""

from ..interpolation import written
from ..kind import Placement

KIND = Placement(
    number=7,
    name="nearest",
    words="nearest",
    images=True,
    copies=True,
    written=lambda state, between: written(state, between, "nearest"),
)
