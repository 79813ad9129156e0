"""An attention between two states."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from ..operation.attention import Attention
from .towards import function as function


class CrossAttention(Attention):
    """The same with the queries of one state, and the keys and values of another."""

    def read(self, f: Tensor, memory: Tensor) -> tuple[Tensor, ...]:
        sizes = (f.shape[2], 2 * f.shape[2])
        (to_query, to_read), (query, read) = self.weight.split(sizes), self.bias.split(sizes)
        queries = F.linear(f, to_query, query).unflatten(2, (self.heads, -1)).transpose(1, 2)
        parts = F.linear(memory, to_read, read).unflatten(2, (2, self.heads, -1))
        return queries, *parts.permute(2, 0, 3, 1, 4).unbind()
