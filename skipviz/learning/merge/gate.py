"""h = f + s·(1 − T)⊙(A − f)."""

from __future__ import annotations

from torch import Tensor


def gate(f: Tensor, carried: Tensor, transform: Tensor, strength: float = 1.0) -> Tensor:
    """Return f + s·(1 − T)⊙(A − f), of f, A and T = σ(W h + b): a highway gate (Srivastava et al. 2015)."""
    share = 1 - transform
    return f + (share if strength == 1 else share * strength) * (carried - f)


def function(f: Tensor, carried: tuple[Tensor, Tensor], strength: float) -> Tensor:
    """Return the gated state; what is carried is (A, T)."""
    return gate(f, *carried, strength)
