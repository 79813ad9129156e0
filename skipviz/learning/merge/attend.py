"""h = f + s·(attention(f; A) − f)."""

from __future__ import annotations

from torch import Tensor


def function(f: Tensor, carried: tuple, strength: float) -> Tensor:
    """Return f on the way to the attention's output; what is carried is (A, attention, its learned strength or None)."""
    memory, attention, learned = carried
    f = f.view_as(f)  # one node for its uses, as in a script
    out = attention(f, memory)
    if learned is not None:
        return f + (out - f) * learned
    return out if strength == 1 else f + strength * (out - f)
