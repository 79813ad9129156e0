"""Kinds: whatever there are several of, each described once, in a file of its own that holds it as `KIND`."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from importlib import import_module
from typing import Literal


@dataclass(frozen=True)
class Activation:
    """An activation σ, applied to each element; all that the form, the chips, the estimates, the scripts and torch need of it."""

    number: int
    """Its place among the choices, which never changes."""
    name: str
    """In a network's JSON data and in links."""
    words: str
    """As a person writes it."""
    function: str
    """Where torch has it as a function: `module:name`."""
    module: str
    """How a script makes torch's own module of it."""
    saves: Literal["input", "output"]
    """What autograd keeps of it for the way back; several keep the tensor that comes out, which is there anyway."""
    passes_at_zero: bool = True
    """Whether a gradient goes back where the input is exactly 0."""


def kinds(package: str) -> dict[str, Activation]:
    """Return the kinds in the files of `package`, by name, in the order of their numbers."""
    modules = [import_module(f"{package}.{found.name}") for found in pkgutil.iter_modules(import_module(package).__path__)]
    found = sorted((module.KIND for module in modules), key=lambda kind: kind.number)
    if len({kind.number for kind in found}) < len(found) or len({kind.name for kind in found}) < len(found):
        raise ValueError(f"two kinds in {package} share a number or a name")
    return {kind.name: kind for kind in found}
