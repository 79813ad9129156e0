"""The linear map."""

from __future__ import annotations

from torch.nn import functional as F

from ...network.base import is_image
from .module import Function, Module


class Linear(Module):
    """`y = W x + b` for `(batch, features)` or `(batch, length, width)`; an image is flattened first."""

    def function(self) -> Function:
        weight, bias, linear = self.weight, self.bias, F.linear
        if is_image(self.shape):
            return lambda x: linear(x.flatten(1), weight, bias)
        return lambda x: linear(x, weight, bias)
