"""The mean over all pixels or positions."""

from __future__ import annotations

from typing import ClassVar, Literal

from ..base import NetworkError, Shape, channels, elements
from ..kind import Operation, Weights

SOURCE = '''
class Mean(nn.Module):
    """The mean over all pixels of an image or voxels of a volume, or all positions of a sequence: one number a channel."""

    def forward(self, x):
        return x.mean(tuple(range(2, x.dim()))) if x.dim() > 3 else x.mean(1)
'''


class Mean(Operation):
    """One number a channel: what a squeeze-and-excitation begins with (Hu et al. 2018)."""

    number: ClassVar = 11
    kind: Literal["mean"] = "mean"
    saves_input: ClassVar = False
    helpers: ClassVar = {"Mean": SOURCE}

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) == 1:
            raise NetworkError("a mean is over pixels or positions, and features have none")
        return (channels(shape),)

    def multiplications(self, shape: Shape) -> int:
        return elements(shape)

    def written(self, shape: Shape, weights: Weights) -> list[str]:
        return ["Mean()"]

    def label(self) -> str:
        return "mean over all"

    def short(self, axes: int = 2) -> str:
        return "mean"


KIND = Mean
