"""The first position of a sequence."""

from __future__ import annotations

from torch import Tensor, nn


class First(nn.Module):
    """The first position of a sequence: `(batch, length, width)` → `(batch, width)`."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, 0]
