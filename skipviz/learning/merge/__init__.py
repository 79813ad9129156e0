"""The merges as functions of tensors; each kind's in its own file."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from ...network.merge import MERGES

FUNCTIONS: dict[str, Callable] = {name: import_module(f"{__name__}.{name}").function for name in MERGES}
"""Merge → (f_j, what is carried, strength) ↦ h_j; of one that joins, what is carried ↦ the part that is read."""
