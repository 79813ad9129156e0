"""A residual network's gradient taken apart by the paths along which it comes back. Imports torch.

With h_k = h_(k-1) + f_k(h_(k-1)) the Jacobian of a block is I + B_k, so a gradient is a sum over all choices of blocks to go
through: 2^n paths (Veit et al. 2016).
"""

from __future__ import annotations

from collections.abc import Callable, Generator

import torch
from torch import Tensor

from ..learning.build import build
from ..learning.probe import gradients, record
from ..network.network import Network

Back = Callable[[Tensor], Tensor]
"""From cotangents of a block's output, `(any number, batch, width)`, to those of what its branch reads."""


class Paths:
    """A stack in which every layer is a residual block, at a batch of standard normal inputs, in float64."""

    def __init__(self, network: Network, seed: int, batch: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        model = build(network, seed).double()
        x = torch.randn(batch, *network.input, generator=generator, dtype=torch.float64)
        _, recording = record(model.bound(network, True), x)
        self.last = torch.randn(recording.states[-1].shape, generator=generator, dtype=torch.float64)
        """The gradient of the last state: that of a random linear functional."""
        self.whole = gradients((recording.states[-1] * self.last).sum(), [], recording).states[0]
        """That of the input, from the probe."""
        layers = zip(network.layers, recording.states, strict=False)
        self._back = [_through(model.layers[k].function(layer, True), h) for k, (layer, h) in enumerate(layers)]

    def by_length(self) -> Generator[float, None, Tensor]:
        """Return the input's gradient by path length, `(blocks + 1, batch, width)`; yield how much is done, 0…1."""
        parts = self.last.new_zeros(len(self._back) + 1, *self.last.shape)
        parts[0] = self.last
        for done, back in enumerate(reversed(self._back), start=1):
            parts[1 : done + 1] += back(parts[:done].clone())
            yield done / len(self._back)
        return parts

    def along(self, through: Tensor) -> Generator[float, None, Tensor]:
        """Return the same of single paths: `through`, `(paths, blocks)`, says through which branches each goes."""
        parts = self.last.expand(len(through), *self.last.shape).clone()
        for done, (back, chosen) in enumerate(zip(reversed(self._back), through.flip(1).T, strict=True), start=1):
            if chosen.any():
                parts[chosen] = back(parts[chosen])
            yield done / len(self._back)
        return parts


def _through(branch: Callable[[Tensor], Tensor], h: Tensor) -> Back:
    h = h.detach().requires_grad_()
    output = branch(h)
    return lambda cotangents: torch.autograd.grad(output, h, cotangents, retain_graph=True, is_grads_batched=True)[0]
