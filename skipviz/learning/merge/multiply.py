"""h = f ⊙ (1 + s·(A − 1))."""

from __future__ import annotations

from torch import Tensor


def function(f: Tensor, carried: Tensor, strength: float) -> Tensor:
    """Return the product."""
    return f * carried if strength == 1 else f * (1 + strength * (carried - 1))
