"""The spatial parts of adapters as functions of a tensor."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from ..network.kind import Placement
from ..network.positions import Between


class Placed:
    """Takes a state from its positions to others: the expression that its kind writes in scripts. It is pickled as that."""

    def __init__(self, written: str) -> None:
        self.written, self._function = written, eval(f"lambda h: {written}", {"F": F})

    def __call__(self, h: Tensor) -> Tensor:
        return self._function(h)

    def __reduce__(self):
        return Placed, (self.written,)


def placed(place: Placement | None, between: Between) -> Placed | None:
    """Return the function of a spatial part between two states, or None where there is none."""
    return Placed(place.written("h", between)) if place else None
