"""The torch module of each operation: one file is one of them, under the name that its kind has."""

from __future__ import annotations

from importlib import import_module

from ...network.operation import OPERATIONS
from .module import Function as Function
from .module import Module

MODULES: dict[type, type[Module]] = {
    kind: getattr(import_module(f"{__name__}.{name}"), kind.__name__) for name, kind in OPERATIONS.items()
}
"""Kind → module; each is constructed with the operation's fields and the shape of its input."""
