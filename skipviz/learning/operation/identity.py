"""What passes its input on."""

from __future__ import annotations

from torch import Tensor, nn


class Identity(nn.Module):
    """Passes its input on, as a tensor of its own, so that a state and the next are never one node of the graph."""

    def forward(self, x: Tensor) -> Tensor:
        return x.view_as(x)
