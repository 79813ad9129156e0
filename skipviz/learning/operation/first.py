"""The first position of a sequence."""

from __future__ import annotations

from .module import Function, Module


class First(Module):
    """`(batch, length, width)` → `(batch, width)`."""

    def function(self) -> Function:
        return lambda x: x[:, 0]
