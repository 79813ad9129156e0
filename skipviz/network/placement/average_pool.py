"""The mean of each window, as on the shortcuts of ResNet-D (He et al. 2018)."""

from ..kind import Placement
from ..pooling import misfit, written

KIND = Placement(
    number=4,
    name="average-pool",
    words="average pool",
    images=True,
    copies=True,
    misfit=misfit,
    written=lambda state, between: written(state, between, "avg"),
)
