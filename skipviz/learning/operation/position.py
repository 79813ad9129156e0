"""Vectors for places in a sequence."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Position(nn.Module):
    """Adds a vector to each position of `(batch, length, width)`: sines and cosines (Vaswani et al. 2017), or a learned one."""

    def __init__(self, length: int, width: int, learned: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(length, width)) if learned else None
        self.table = None if learned else sinusoids(length, width)

    def initialise(self, scheme: str, source: torch.Generator) -> None:
        """Fill learned vectors with N(0, 0.02²), as BERT does (Devlin et al. 2019), or zero."""
        if self.weight is not None:
            self.weight.normal_(0.0, 0.0 if scheme == "zero" else 0.02, generator=source)

    def forward(self, x: Tensor) -> Tensor:
        return x + (self.table.to(x) if self.weight is None else self.weight)


def sinusoids(length: int, width: int) -> Tensor:
    """Return sin and cos of position / 10000^(2i/width) in turns, `(length, width)`."""
    column = torch.arange(width)
    angle = torch.arange(length)[:, None] / 10000 ** ((column - column % 2) / width)
    return torch.where(column % 2 == 0, angle.sin(), angle.cos())
