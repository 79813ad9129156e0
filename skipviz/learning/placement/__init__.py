"""The spatial parts of adapters as functions of a tensor; each kind's in its own file."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from ...network.placement import PLACEMENTS
from ...network.positions import Between
from ..operation import Function

FUNCTIONS: dict[str, Callable[[Between], Function]] = {
    name: import_module(f"{__name__}.{name.replace('-', '_')}").function for name in PLACEMENTS
}
