"""The rules of a check: one file is one of them, with what it looks for and where that is known from.

Each has `find(checked)`, which yields findings of the rule's name.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module

from ..checked_pass import CheckedPass
from ..finding import Finding

RULES: dict[str, Callable[[CheckedPass], Iterator[Finding]]] = {
    module.name: import_module(f"{__name__}.{module.name}").find for module in pkgutil.iter_modules(__path__)
}
