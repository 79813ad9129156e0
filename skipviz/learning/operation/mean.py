"""The mean over all pixels or positions."""

from __future__ import annotations

from torch import Tensor, nn


class Mean(nn.Module):
    """The mean over all pixels of an image or voxels of a volume, or all positions of a sequence: one number a channel."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(tuple(range(2, x.dim())) if x.dim() > 3 else 1)
