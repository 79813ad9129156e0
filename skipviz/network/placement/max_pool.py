"""The largest of each window."""

from ..kind import Placement
from ..pooling import misfit, written

KIND = Placement(
    number=5,
    name="max-pool",
    words="max pool",
    images=True,
    copies=True,
    saves=2,
    misfit=misfit,
    written=lambda state, between: written(state, between, "max"),
)
