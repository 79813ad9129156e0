"""What a watched module reads is its own affair."""

from __future__ import annotations

from torch import Tensor

from ...network.base import NetworkError


def function(f: Tensor, carried: Tensor, strength: float) -> Tensor:
    """Say that it cannot be computed here."""
    raise NetworkError("what a module of somebody's own reads is known to that module alone")
