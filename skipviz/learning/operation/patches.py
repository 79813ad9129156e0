"""An image's pixels as a sequence."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Patches(nn.Module):
    """Lays the pixels of an image out as a sequence, row by row; with a class token, which is learned from zero, before them."""

    def __init__(self, width: int | None = None) -> None:
        super().__init__()
        self.weight = None if width is None else nn.Parameter(torch.zeros(1, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(2).transpose(1, 2)
        return x if self.weight is None else torch.cat([self.weight.expand(len(x), 1, -1), x], 1)
