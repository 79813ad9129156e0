"""h = f + s·(P f − f), P the attention weights of A."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from .attend import Attending, Between
from .attend import function as function


class Mixture(Attending):
    """Queries and keys of what is carried, f being the values."""

    def function(self) -> Between:
        weight, bias, heads, linear, weights = self.weight, self.bias, self.heads, F.linear, self.weights

        def mixed(f: Tensor, h: Tensor) -> Tensor:
            queries, keys = linear(h, weight, bias).unflatten(2, (2, heads, -1)).permute(2, 0, 3, 1, 4).unbind()
            values = f.unflatten(2, (heads, -1)).transpose(1, 2)
            return (weights(queries, keys) @ values).transpose(1, 2).flatten(2)

        return mixed


MODULE = Mixture
