"""The torch module of each operation: one file is one of them, under the name that its kind has."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import torch
from torch import nn

from ...network.base import Shape
from ...network.kind import Operation
from ...network.operation import OPERATIONS
from .module import Function as Function
from .module import Module


def _maker(kind: type[Operation], name: str) -> Callable[[Operation, Shape], nn.Module]:
    module = getattr(import_module(f"{__name__}.{name}"), kind.__name__)
    return module if issubclass(module, Module) else lambda op, shape: module(**op.arguments(shape))


MODULES = {kind: _maker(kind, name) for name, kind in OPERATIONS.items()}
"""Kind → (operation, shape of its input) ↦ module."""


def made(op: Operation, shape: Shape, scheme: str, source: torch.Generator) -> nn.Module:
    """Return the module of `op` for inputs of `shape`, with its first weights drawn by `scheme` from the generator `source`."""
    module = MODULES[type(op)](op, shape)
    if hasattr(module, "initialise"):  # it has some to draw
        module.initialise(scheme, source)
    return module
