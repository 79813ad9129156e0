"""Vectors for tokens."""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F

from .module import Function, Module


class Embedding(Module):
    """Looks up a vector for each token of `(batch, length)`."""

    def initialise(self, scheme: str, source: torch.Generator) -> None:
        if scheme == "torch":
            with torch.no_grad():
                self.weight.normal_(generator=source)
        else:
            super().initialise(scheme, source)

    def function(self) -> Function:
        weight, embed = self.weight, F.embedding
        if not self.op.scaled:
            return lambda x: embed(x, weight)
        factor = math.sqrt(self.op.width)
        return lambda x: embed(x, weight) * factor
