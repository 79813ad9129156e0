"""A model's parameters in one piece of memory, so that updates and norms cost a call for all and not one for each."""

from __future__ import annotations

from itertools import chain

import torch
from torch import Tensor, nn

from .build import NetworkModule


class FlatParameters:
    """Moves a model's parameters into one vector, of which they become views.

    The order is: each layer (without its branch scale), head, branch scales, then the parameters of each skip. `pieces` are
    what an optimizer updates: one for layers, head and scales, and one for each skip that has parameters, so that a
    skip that is off can be left alone.
    """

    def __init__(self, model: NetworkModule) -> None:
        layers = [[p for p in layer.parameters() if p is not layer.scale] for layer in model.layers]
        scales = [[] if layer.scale is None else [layer.scale] for layer in model.layers]
        groups = [*layers, list(model.head.parameters()), *scales, *[list(skip.parameters()) for skip in model.skips]]
        self.parameters: list[nn.Parameter] = list(chain.from_iterable(groups))
        self.values = torch.cat([p.detach().reshape(-1) for p in self.parameters])
        ends, position = [], 0
        for group in groups:
            for p in group:
                size = p.numel()
                p.data = self.values[position : position + size].view(p.shape)
                position += size
            ends.append(position)
        spans = list(zip([0, *ends], ends, strict=False))
        depth = len(layers)
        self.layers, self.head, self.scales, self.skips = (
            spans[:depth],
            spans[depth],
            spans[depth + 1 : 2 * depth + 1],
            spans[2 * depth + 1 :],
        )
        self.trunk = (0, self.scales[-1][1])
        self.owners = [None, *(index for index, (start, end) in enumerate(self.skips) if end > start)]
        """For each piece, the skip whose parameters it holds; None: layers, head and scales."""
        self.pieces = [self.values[slice(*(self.trunk if owner is None else self.skips[owner]))] for owner in self.owners]

    def flatten(self, gradients: tuple[Tensor | None, ...]) -> Tensor:
        """Return the gradients, given in the order of `parameters`, as one vector; None counts as zeros."""
        return torch._C._nn.flatten_dense_tensors(
            [torch.zeros_like(p) if g is None else g for p, g in zip(self.parameters, gradients, strict=True)]
        )

    def span(self, piece: int) -> tuple[int, int]:
        """Return where a piece lies in the vector."""
        owner = self.owners[piece]
        return self.trunk if owner is None else self.skips[owner]
