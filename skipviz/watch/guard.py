"""Stands in for a module's `forward` while its next pass is to be recorded, and for nothing else."""

from __future__ import annotations

import inspect
import types
from typing import TYPE_CHECKING

from torch import nn
from torch._compile import _disable_dynamo

if TYPE_CHECKING:
    from .watched import Watched


def compiled_from(model: nn.Module) -> nn.Module:
    """Return the module of which `torch.compile` made this one; what it did not make is its own."""
    return model._orig_mod if type(model).__name__ == "OptimizedModule" else model


class Guard:
    """Stands in for the `forward` of what `watched` watches. Compiled code stands aside meanwhile, for eager mode.

    A copy or a file made of the module meanwhile gets the module's own `forward`.
    """

    def __init__(self, watched: Watched, given: nn.Module) -> None:
        self._watched, self._model, self._given = watched, watched.model, given
        self._own = watched.model.__dict__.get("forward")
        """A `forward` of the module's own, in place of its class's."""
        self.forward = watched.model.forward
        self._compiled: dict[str, object] = {}
        """Compiled code that stands aside, by the name of the attribute where it was."""
        self._installed = False

    @property
    def __signature__(self) -> inspect.Signature:
        """What callers read who pass only the arguments that the module takes."""
        return inspect.signature(self.forward)

    def install(self) -> None:
        if self._installed:
            return
        now = self._model.__dict__.get("forward")
        if now is not self._own:
            self._own, self.forward = now, self._model.forward
        self._model.__dict__["forward"], self._installed = self, True
        self._set_aside()

    def remove(self) -> None:
        """Take it away; where somebody has put a function around it meanwhile, it stays, and hands on."""
        if self._model.__dict__.get("forward") is not self:
            return
        self._installed = False
        self._put_back()
        if self._own is not None:
            self._model.__dict__["forward"] = self._own
        else:
            del self._model.__dict__["forward"]

    def _set_aside(self) -> None:
        """Let calls of the module come to its forward, compiled or not."""
        if self._given is not self._model:
            self._compiled["forward"] = self._given.__dict__["forward"]
            self._given.__dict__["forward"] = self._model
        elif code := self._model.__dict__.pop("_compiled_call_impl", None):
            self._compiled["_compiled_call_impl"] = code

    def _put_back(self) -> None:
        self._given.__dict__.update(self._compiled)
        self._compiled = {}

    def __call__(self, *args, **kwargs):
        if not self._watched.captures:
            return self.forward(*args, **kwargs)
        return _recorded(self._watched, args, kwargs)

    def __deepcopy__(self, memo: dict):
        copied = memo.get(id(self._model))
        return types.MethodType(type(self._model).forward, copied) if copied is not None else self.forward

    def __reduce__(self):
        return getattr, (self._model, "forward")


@_disable_dynamo
def _recorded(watched: Watched, args: tuple, kwargs: dict):
    """Record a pass, in eager mode also where the module is compiled."""
    return watched.recorded(args, kwargs)
