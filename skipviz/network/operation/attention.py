"""Self-attention."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ..base import Bias, NetworkError, Shape, elements
from ..kind import Operation, Weights

MAX_ATTENDED = 4096
"""Positions; attention keeps their square in memory for every head."""


SOURCE = '''
class Attention(nn.Module):
    """softmax(Q Kᵀ/√d) V of every head, then one map of all heads (Vaswani et al. 2017)."""

    def __init__(self, length, width, heads, *names, causal=False, bias=True, scheme="torch", factor=1.0):
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.hidden = torch.ones(length, length, dtype=torch.bool).triu(1) if causal else None
        self.read = nn.Linear(width, 3 * width, bias=bias)
        self.out = nn.Linear(width, width, bias=bias)
        source = generator(*names)
        within, joint = ("glorot", 3 * width) if scheme == "torch" else (scheme, width)
        for part in self.read.weight.split(width):
            fill(part, None, within, width, joint, source)
        fill(self.out.weight, None, scheme, width, width, source)
        for linear in (self.read, self.out):
            linear.weight.data.mul_(factor)
            if bias:
                nn.init.zeros_(linear.bias)

    def forward(self, x):
        parts = self.read(x).view(*x.shape[:2], 3, self.heads, self.size)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4).unbind()
        scores = (queries * (1 / math.sqrt(self.size))) @ keys.transpose(2, 3)
        if self.hidden is not None:
            scores = scores.masked_fill(self.hidden, -math.inf)
        return self.out((scores.softmax(3) @ values).transpose(1, 2).flatten(2))
'''


class Attention(Operation):
    """Multi-head self-attention over the positions of a sequence (Vaswani et al. 2017)."""

    number: ClassVar = 9
    keys: ClassVar = {"h": "heads", "c": "causal", "b": "bias"}
    attends: ClassVar = True
    helpers: ClassVar = {"Attention": SOURCE}
    fills: ClassVar = ("torch", "glorot")
    kind: Literal["attention"] = "attention"
    heads: int = Field(4, ge=1, le=64, description="that look by themselves, each at a share of the width")
    causal: bool = Field(False, description="a position sees itself and those before it only")
    bias: Bias = True

    @property
    def looks_ahead(self) -> bool:
        return not self.causal

    def output_shape(self, shape: Shape) -> Shape:
        self._need_sequence(shape)
        if shape[1] % self.heads:
            raise NetworkError(f"{self.heads} heads need a width that they divide, not {shape[1]}")
        if shape[0] > MAX_ATTENDED:
            raise NetworkError(f"attention reaches over at most {MAX_ATTENDED:,} positions, not {shape[0]:,}")
        return shape

    def parameters(self, shape: Shape) -> dict[str, Shape | None]:
        width, bias = shape[1], self.bias
        return {
            "weight": (3 * width, width),
            "bias": (3 * width,) if bias else None,
            "out_weight": (width, width),
            "out_bias": (width,) if bias else None,
        }

    def multiplications(self, shape: Shape) -> int:
        return super().multiplications(shape) + 2 * shape[0] * elements(shape)

    def saves_more(self, shape: Shape) -> int:
        return 4 * elements(shape) + self.heads * shape[0] ** 2

    def written(self, shape: Shape, weights: Weights) -> list[str]:
        more = (", causal=True" if self.causal else "") + ("" if self.bias else ", bias=False")
        return [f"Attention({shape[0]}, {shape[1]}, {self.heads}, {weights.names}{more}{weights.options()})"]

    def label(self) -> str:
        return f"attention ×{self.heads}"

    def short(self, axes: int = 2) -> str:
        return f"attn {self.heads}"


KIND = Attention
