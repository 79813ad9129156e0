"""h = f + s·(attention(f; A) − f)."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...network.base import Shape
from ...network.merge import MERGES
from ...network.skip import Skip
from ..initialise import fill_weight

Between = Callable[[Tensor, Tensor], Tensor]
"""What an attention makes of f and of what is carried."""


def function(f: Tensor, carried: tuple[Tensor, Between, Tensor | None], strength: float) -> Tensor:
    """Return f on its way to the attention's output; what is carried is (A, attention, its learned strength)."""
    memory, attention, learned = carried
    f = f.view_as(f)  # one node for its uses, as in a script
    out = attention(f, memory)
    if learned is not None:
        return f + (out - f) * learned
    return out if strength == 1 else f + strength * (out - f)


class Attending(nn.Module):
    """The parameters of an attention between two states, in one layout with `nn.MultiheadAttention`."""

    function: Callable[[], Between]
    """Returns the plain function of both states, with the parameters bound."""

    def __init__(self, skip: Skip, target: Shape) -> None:
        super().__init__()
        self.causal, self.heads, self.width = skip.causal, skip.heads, target[1]
        for name, size in MERGES[skip.merge].parameters(skip, self.width).items():
            self.register_parameter(name, nn.Parameter(torch.empty(size)))

    def initialise(self, generator: torch.Generator) -> None:
        """Fill the maps as `nn.MultiheadAttention` does: Glorot within, torch's own out, biases of zero."""
        width = self.width
        for part in self.weight.split(width):
            fill_weight(part, None, "glorot", (width, 3 * width), generator)
        if "out_weight" in self._parameters:
            fill_weight(self.out_weight, None, "torch", (width, width), generator)
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if name.endswith("bias"):
                    parameter.zero_()

    def forward(self, f: Tensor, carried: Tensor) -> Tensor:
        return self.function()(f, carried)

    def weights(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return how much each position (row) looks at each other, `(batch, heads, length, length)`."""
        scores = (queries * (1 / math.sqrt(self.width // self.heads))) @ keys.transpose(2, 3)
        if self.causal:
            scores = scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).triu(1), -math.inf)
        return scores.softmax(3)


class CrossAttention(Attending):
    """Queries of f, keys and values of what is carried, then one map of all heads."""

    def function(self) -> Between:
        sizes, heads, linear = (self.width, 2 * self.width), self.heads, F.linear
        (to_query, to_read), (query_bias, read_bias) = self.weight.split(sizes), self.bias.split(sizes)
        weight, bias, weights = self.out_weight, self.out_bias, self.weights

        def attend(f: Tensor, memory: Tensor) -> Tensor:
            queries = linear(f, to_query, query_bias).unflatten(2, (heads, -1)).transpose(1, 2)
            parts = linear(memory, to_read, read_bias).unflatten(2, (2, heads, -1))
            keys, values = parts.permute(2, 0, 3, 1, 4).unbind()
            return linear((weights(queries, keys) @ values).transpose(1, 2).flatten(2), weight, bias)

        return attend

    def looks(self, f: Tensor, memory: Tensor) -> Tensor:
        """Return how much each position of f (row) looks at each of what is carried, `(batch, heads, length, length)`."""
        width, heads = self.width, self.heads
        queries = F.linear(f, self.weight[:width], self.bias[:width]).unflatten(2, (heads, -1))
        keys = F.linear(memory, self.weight[width : 2 * width], self.bias[width : 2 * width]).unflatten(2, (heads, -1))
        return self.weights(queries.transpose(1, 2), keys.transpose(1, 2))


MODULE = CrossAttention
