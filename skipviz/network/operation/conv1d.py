"""A convolution along a sequence."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ..base import Bias, NetworkError, Shape, Width
from ..kind import Operation, Weights

SOURCE = '''
class SequenceConvolution(nn.Conv1d):
    """A convolution along `(batch, length, width)`; zeros before and behind it keep its length."""

    def __init__(self, *sizes, around, **more):
        super().__init__(*sizes, **more)
        self.around = around

    def forward(self, x):
        return super().forward(F.pad(x.transpose(1, 2), self.around)).transpose(1, 2)
'''


class SequenceConvolution(Operation):
    """A 1-D convolution that keeps a sequence's length; a causal one is what WaveNet stacks (van den Oord et al. 2016)."""

    number: ClassVar = 10
    keys: ClassVar = {"w": "width", "n": "kernel", "d": "dilation", "g": "groups", "c": "causal", "b": "bias"}
    calls: ClassVar = 40
    saves_input: ClassVar = False
    helpers: ClassVar = {"SequenceConvolution": SOURCE}
    kind: Literal["conv1d"] = "conv1d"
    width: Width = Field(description="features out")
    kernel: int = Field(3, ge=1, le=64, description="positions that one reads")
    dilation: int = Field(1, ge=1, le=1024, description="positions from one of them to the next")
    groups: int = Field(1, ge=1, le=4096, description="of features that are mapped apart; it divides features in and out")
    causal: bool = Field(False, description="a position reads itself and those before it only")
    bias: Bias = True

    @property
    def around(self) -> tuple[int, int]:
        """How many zeros stand before and behind the sequence."""
        whole = self.dilation * (self.kernel - 1)
        behind = 0 if self.causal else whole // 2
        return whole - behind, behind

    @property
    def looks_ahead(self) -> bool:
        return self.around[1] > 0

    def output_shape(self, shape: Shape) -> Shape:
        self._need_sequence(shape)
        if shape[1] % self.groups or self.width % self.groups:
            raise NetworkError(f"{self.groups} groups need features that they divide, not {shape[1]} in and {self.width} out")
        return (shape[0], self.width)

    def parameters(self, shape: Shape) -> dict[str, Shape | None]:
        return {"weight": (self.width, shape[1] // self.groups, self.kernel), "bias": (self.width,) if self.bias else None}

    def fans(self, shape: Shape) -> tuple[float, float]:
        read, fed = super().fans(shape)
        return read, fed // self.groups

    def saves_more(self, shape: Shape) -> int:
        return (shape[0] + sum(self.around)) * shape[1]

    def written(self, shape: Shape, weights: Weights) -> list[str]:
        more = "".join(f", {name}={value}" for name, value in self.unusual("dilation", "groups", "bias").items())
        made = f"SequenceConvolution({shape[1]}, {self.width}, {self.kernel}, around={self.around}{more})"
        return [weights.drawn(made)]

    def label(self) -> str:
        dilated = f" dilated {self.dilation}" if self.dilation > 1 else ""
        return f"conv1d {self.width}{dilated}" + (" causal" if self.causal else "")

    def short(self, axes: int = 2) -> str:
        return f"{self.kernel}·{self.width}"


KIND = SequenceConvolution
