"""Several streams as one state."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...network.base import is_image
from ..merge.streams import SCALE, layer_normed, rms_normed
from .module import Function, Module


class Reduce(Module):
    """The streams of `(batch, …, n·width)` weighed into one."""

    def initialise(self, scheme: str, generator: torch.Generator) -> None:
        """Let the sum of weights be 1, most of it the first stream's, whatever the streams hold.

        Free weights are e_first (Zhu et al. 2024). Those of σ, for which Xie et al. (2025) name no start, are 3/4 and, of the
        others, equal parts of 1/4: where all streams are equal, both read one of them.
        """
        if self.op.mixing == "sum":
            return
        with torch.no_grad():
            positive, n = self.op.mixing == "sinkhorn", self.op.streams
            self.weight.fill_(-math.log(4 * n - 5) if positive else 0.0)
            self.weight[self.op.first % n] = math.log(3) if positive else 1.0
            if self.op.dynamic:
                self.map.zero_()
                self.scale.fill_(SCALE)

    def function(self) -> Function:
        n, image, weights = self.op.streams, is_image(self.shape), self._weights()

        def read(x: Tensor) -> Tensor:
            x = x.movedim(1, -1) if image else x.view_as(x)  # one node for its uses, as in a script
            streams = x.unflatten(-1, (n, -1))
            out = streams.sum(-2) if weights is None else (weights(x, streams).unsqueeze(-2) @ streams).squeeze(-2)
            return out.movedim(-1, 1) if image else out

        return read

    def _weights(self):
        """Return (x, its streams) ↦ how much each counts, `(…, n)`; None where each counts 1."""
        if self.op.mixing == "sum":
            return None
        weight, positive = self.weight, self.op.mixing == "sinkhorn"
        if not self.op.dynamic:
            return lambda x, streams: torch.sigmoid(weight) if positive else weight
        mapping, scale = self.map, self.scale
        if positive:
            return lambda x, streams: torch.sigmoid(weight + scale * (rms_normed(x) @ mapping))
        return lambda x, streams: weight + scale * torch.tanh(layer_normed(streams) @ mapping)
