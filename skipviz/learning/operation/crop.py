"""A window of an image or a volume."""

from __future__ import annotations

from torch import Tensor, nn


class Crop(nn.Module):
    """Cuts a window out of an image or a volume."""

    def __init__(self, window: tuple[slice, ...]) -> None:
        super().__init__()
        self.kept = (..., *window)

    def forward(self, x: Tensor) -> Tensor:
        return x[self.kept]
