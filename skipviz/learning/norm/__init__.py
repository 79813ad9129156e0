"""Norms as functions of one tensor, with their parameters and running statistics; each kind's function in its own file."""

from __future__ import annotations

from importlib import import_module

import torch
from torch import Tensor, nn

from ...network.base import Shape, channels
from ...network.norm import NORMS
from .axes import Function

FUNCTIONS = {name: import_module(f"{__name__}.{name}").function for name in NORMS}


class Norm(nn.Module):
    """A norm of states of one shape, with one weight and, where it takes the mean away, one bias a channel."""

    def __init__(self, kind: str, shape: Shape) -> None:
        super().__init__()
        self.kind, self.shape = kind, tuple(shape)
        width = channels(shape)
        self.weight = nn.Parameter(torch.ones(width))
        if NORMS[kind].centred:
            self.bias = nn.Parameter(torch.zeros(width))
        if NORMS[kind].batch:
            self.register_buffer("running_mean", torch.zeros(width))
            self.register_buffer("running_var", torch.ones(width))

    def function(self, training: bool, frozen: tuple[slice, ...] = ()) -> Function:
        """Return the norm; `frozen` are channels whose running statistics stay as they are."""
        return FUNCTIONS[self.kind](self, training, frozen)

    def forward(self, x: Tensor, frozen: tuple[slice, ...] = ()) -> Tensor:
        return self.function(self.training, frozen)(x)
