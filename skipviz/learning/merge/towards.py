"""h = f + s·(what a module makes of f and A − f)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor


def function(f: Tensor, carried: tuple[Tensor, Callable[[Tensor, Tensor], Tensor], Tensor | None], strength: float) -> Tensor:
    """Return f on its way; what is carried is (A, the module of both, its learned strength)."""
    adapted, module, learned = carried
    return towards(f, adapted, module, strength if learned is None else learned)


def towards(f: Tensor, carried: Tensor, module: Callable[[Tensor, Tensor], Tensor], strength: float | Tensor = 1.0) -> Tensor:
    """Return f + s·(module(f, A) − f), of f and of what a skip carries, A; a strength that is learned is a parameter."""
    f = f.view_as(f)  # one node for its uses: the gradients that come back through both sum here first
    out = module(f, carried)
    return out if isinstance(strength, float) and strength == 1 else f + strength * (out - f)
