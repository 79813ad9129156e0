"""The spatial parts of adapters as functions of a tensor."""

from __future__ import annotations

from torch.nn import functional as F

from ..network.kind import Placement
from ..network.positions import Between
from .operation import Function


def placed(place: Placement, between: Between) -> Function:
    """Return what takes a state from its positions to others: the expression that its kind writes in scripts."""
    return eval(f"lambda h: {place.written('h', between)}", {"F": F})
