"""h = f + s·(1 − T)⊙(A − f)."""

from __future__ import annotations

from torch import Tensor


def function(f: Tensor, carried: tuple[Tensor, Tensor], strength: float) -> Tensor:
    """Return the gated state; what is carried is (A, T)."""
    adapted, transform = carried
    share = 1 - transform
    return f + (share if strength == 1 else share * strength) * (adapted - f)
