"""Vectors for places in a sequence."""

from __future__ import annotations

import torch
from torch import Tensor

from ...network.base import Shape
from ...network.kind import Operation
from .module import Function, Module


class Position(Module):
    """Adds a vector to each position of `(batch, length, width)`."""

    def __init__(self, op: Operation, shape: Shape) -> None:
        super().__init__(op, shape)
        self.table = None if op.mode == "learned" else sinusoids(*shape)

    def initialise(self, scheme: str, generator: torch.Generator) -> None:
        """Fill learned vectors with N(0, 0.02²), as BERT does (Devlin et al. 2019), or zero."""
        if self.table is None:
            with torch.no_grad():
                self.weight.normal_(0.0, 0.0 if scheme == "zero" else 0.02, generator=generator)

    def function(self) -> Function:
        if self.table is None:
            weight = self.weight
            return lambda x: x + weight
        table = self.table
        return lambda x: x + table.to(x)


def sinusoids(length: int, width: int) -> Tensor:
    """Return sin and cos of position / 10000^(2i/width) in turns, `(length, width)` (Vaswani et al. 2017)."""
    column = torch.arange(width)
    angle = torch.arange(length)[:, None] / 10000 ** ((column - column % 2) / width)
    return torch.where(column % 2 == 0, angle.sin(), angle.cos())
