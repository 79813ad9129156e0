"""What passes its input on."""

from __future__ import annotations

from .module import Function, Module


class Identity(Module):
    """Passes its input on, as a tensor of its own, so that a state and the next are never one node of the graph."""

    def function(self) -> Function:
        return lambda x: x.view_as(x)
