"""Self-attention."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from ..initialise import fill_weight
from .module import Function, Module


class Attention(Module):
    """softmax(Q Kᵀ/√d) V of every head, then one map of all heads; `(batch, length, width)` → the same.

    Parameters stand as in `nn.MultiheadAttention`: Q, K and V one below the other, then the map out.
    """

    def initialise(self, scheme: str, generator: torch.Generator) -> None:
        """Fill each of the four maps; torch: what `nn.MultiheadAttention` takes, Glorot within and biases of zero."""
        width = self.shape[1]
        joint = (width, 3 * width) if scheme == "torch" else (width, width)
        for part in self.weight.split(width):
            fill_weight(part, None, "glorot" if scheme == "torch" else scheme, joint, generator)
        fill_weight(self.out_weight, None, scheme, (width, width), generator)
        with torch.no_grad():
            for bias in (self.bias, self.out_bias):
                if bias is not None:
                    bias.zero_()

    def function(self) -> Function:
        weight, bias, linear = self.out_weight, self.out_bias, F.linear
        attend = self._attention()

        def mixed(x: Tensor) -> Tensor:
            weights, values = attend(x)
            return linear((weights @ values).transpose(1, 2).flatten(2), weight, bias)

        return mixed

    def weights(self, x: Tensor) -> Tensor:
        """Return how much each position (row) looks at each other, `(batch, heads, length, length)`; rows sum to 1."""
        return self._attention()(x)[0]

    def _attention(self) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
        weight, bias, linear, heads = self.weight, self.bias, F.linear, self.op.heads
        length, width = self.shape
        size = width // heads
        factor = 1 / math.sqrt(size)
        hidden = None
        if self.op.causal:
            hidden = torch.ones(length, length, dtype=torch.bool, device=weight.device).triu(1)

        def attend(x: Tensor) -> tuple[Tensor, Tensor]:
            parts = linear(x, weight, bias).view(*x.shape[:2], 3, heads, size)
            queries, keys, values = parts.permute(2, 0, 3, 1, 4).unbind()
            scores = (queries * factor) @ keys.transpose(2, 3)
            if hidden is not None:
                scores = scores.masked_fill(hidden, -math.inf)
            return scores.softmax(3), values

        return attend
