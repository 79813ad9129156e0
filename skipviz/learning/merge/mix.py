"""The attention of one state, applied to another."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..initialise import fill
from ..operation.attention import attention_weights
from .towards import function as function


class Mixture(nn.Module):
    """softmax(Q Kᵀ/√d) of one state, by which every head mixes the positions of another."""

    def __init__(self, width: int, heads: int, causal: bool = False) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.weight, self.bias = nn.Parameter(torch.empty(2 * width, width)), nn.Parameter(torch.zeros(2 * width))

    def initialise(self, scheme: str, source: torch.Generator) -> None:
        """Fill both maps as `nn.MultiheadAttention` does."""
        width = self.weight.shape[1]
        for part in self.weight.split(width):
            fill(part, None, "glorot", width, 3 * width, source)

    def forward(self, f: Tensor, h: Tensor) -> Tensor:
        queries, keys = F.linear(h, self.weight, self.bias).unflatten(2, (2, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind()
        values = f.unflatten(2, (self.heads, -1)).transpose(1, 2)
        return (attention_weights(queries, keys, self.causal) @ values).transpose(1, 2).flatten(2)
