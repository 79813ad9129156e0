"""h = f ⊙ (1 + s·(A − 1))."""

from __future__ import annotations

from torch import Tensor


def multiply(f: Tensor, carried: Tensor, strength: float = 1.0) -> Tensor:
    """Return f ⊙ (1 + s·(A − 1)): no factor at strength 0, A at 1."""
    return f * carried if strength == 1 else f * (1 + strength * (carried - 1))


function = multiply
