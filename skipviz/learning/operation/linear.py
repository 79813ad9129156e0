"""The linear map."""

from __future__ import annotations

from torch.nn import functional as F

from .module import Function, Module


class Linear(Module):
    """`y = W x + b` for `(batch, features)` or `(batch, length, width)`; an image is flattened first."""

    def function(self) -> Function:
        weight, bias, linear = self.weight, self.bias, F.linear
        if len(self.shape) == 3:
            return lambda x: linear(x.flatten(1), weight, bias)
        return lambda x: linear(x, weight, bias)
