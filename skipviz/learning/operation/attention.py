"""Self-attention, and the weights by which every attention looks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..initialise import fill


class Attention(nn.Module):
    """softmax(Q Kᵀ/√d) V of every head, then one map of all heads (Vaswani et al. 2017); `(batch, length, width)` → the same.

    Parameters stand as in `nn.MultiheadAttention`: Q, K and V one below the other, then the map out.
    """

    def __init__(self, width: int, heads: int, causal: bool = False, bias: bool = True) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.weight = nn.Parameter(torch.empty(3 * width, width))
        self.bias = nn.Parameter(torch.empty(3 * width)) if bias else None
        self.out_weight = nn.Parameter(torch.empty(width, width))
        self.out_bias = nn.Parameter(torch.empty(width)) if bias else None

    def initialise(self, scheme: str, source: torch.Generator) -> None:
        """Fill each of the four maps; torch: what `nn.MultiheadAttention` takes, Glorot within and biases of zero."""
        width = len(self.out_weight)
        within, joint = ("glorot", 3 * width) if scheme == "torch" else (scheme, width)
        for part in self.weight.split(width):
            fill(part, None, within, width, joint, source)
        fill(self.out_weight, None, scheme, width, width, source)
        for bias in (self.bias, self.out_bias):
            if bias is not None:
                bias.zero_()

    def forward(self, *states: Tensor) -> Tensor:
        queries, keys, values = self.read(*states)
        mixed = attention_weights(queries, keys, self.causal) @ values
        return F.linear(mixed.transpose(1, 2).flatten(2), self.out_weight, self.out_bias)

    def read(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return queries, keys and values, each `(batch, heads, length, width / heads)`."""
        return F.linear(x, self.weight, self.bias).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind()


def attention_weights(queries: Tensor, keys: Tensor, causal: bool) -> Tensor:
    """Return how much each position (row) looks at each other, `(batch, heads, length, length)`; rows sum to 1."""
    scores = (queries * (1 / math.sqrt(queries.shape[3]))) @ keys.transpose(2, 3)
    if causal:
        later = torch.ones(scores.shape[2:], dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(later, -math.inf)
    return scores.softmax(3)
