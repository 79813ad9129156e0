"""The merges as functions of tensors; each kind's in its own file."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from torch import Tensor

from ...network.merge import MERGES

FUNCTIONS: dict[str, Callable] = {
    name: import_module(f"{__name__}.{name}").function for name, kind in MERGES.items() if not kind.joins
}
"""Merge that lands on a state → (f_j, what is carried, strength) ↦ h_j."""

LEARNED: dict[str, type] = {
    name: getattr(import_module(f"{__name__}.{name}"), kind.module) for name, kind in MERGES.items() if kind.learns
}
"""Merge that learns a function of both states → its module."""


def weighed(kind: str, carried: Tensor, strength: Tensor) -> Tensor:
    """Return what is carried, or of a gate its T, with a learned strength in it: so it lands at the strength 1."""
    return 1 - (1 - carried) * strength if MERGES[kind].neutral == 1 else carried * strength
