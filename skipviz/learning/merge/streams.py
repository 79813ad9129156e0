"""h = f + s·(M A + B⊙f − f), stream by stream."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...network.base import Shape, channels, is_image
from ...network.merge import MERGES
from ...network.merge.streams import KEPT
from ...network.skip import Skip
from .attend import Between
from .attend import function as function

SCALE = 0.01
"""Of what is dynamic, at the start, in both papers."""
ITERATIONS = 20
"""Of Sinkhorn and Knopp, as published."""

Weights = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""(A, its streams) ↦ M, `(…, n, n)`, of which a row makes a stream, and B, `(…, n)`."""


class Streams(nn.Module):
    """How n streams of `(batch, …, n·width)` mix, and how much each takes of what a layer writes."""

    def __init__(self, skip: Skip, target: Shape) -> None:
        super().__init__()
        self.streams, self.image = skip.streams, is_image(target)
        self.doubly, self.dynamic = skip.mixing == "sinkhorn", skip.dynamic
        for name, size in MERGES[skip.merge].parameters(skip, channels(target)).items():
            self.register_parameter(name, nn.Parameter(torch.empty(size)))

    def initialise(self, generator: torch.Generator) -> None:
        """Let each stream keep itself and take all that is written, whatever the streams hold: nothing is drawn."""
        with torch.no_grad():
            self.mix.copy_(torch.eye(self.streams) * (KEPT if self.doubly else 1.0))
            self.write.fill_(0.0 if self.doubly else 1.0)
            if self.dynamic:
                for name in ("mix", "write"):
                    self._parameters[f"{name}_map"].zero_()
                    self._parameters[f"{name}_scale"].fill_(SCALE)

    def function(self) -> Between:
        n, image, weights = self.streams, self.image, self._weights()

        def joined(f: Tensor, h: Tensor) -> Tensor:
            h, f = (h.movedim(1, -1), f.movedim(1, -1)) if image else (h.view_as(h), f)  # one node for all that reads h
            streams = h.unflatten(-1, (n, -1))
            matrix, write = weights(h, streams)
            out = (matrix @ streams + write.unsqueeze(-1) * f.unflatten(-1, (n, -1))).flatten(-2)
            return out.movedim(-1, 1) if image else out

        return joined

    def forward(self, f: Tensor, carried: Tensor) -> Tensor:
        return self.function()(f, carried)

    @torch.no_grad()
    def matrix(self, h: Tensor) -> Tensor:
        """Return M, `(n, n)`: where it is dynamic, the mean over a batch and its positions."""
        h = h.movedim(1, -1) if self.image else h
        matrix, _ = self._weights()(h, h.unflatten(-1, (self.streams, -1)))
        return matrix.flatten(0, -3).mean(0, dtype=self.mix.dtype) if matrix.dim() > 2 else matrix

    def _weights(self) -> Weights:
        n, mix, write, doubly = self.streams, self.mix, self.write, self.doubly
        if not self.dynamic:
            return lambda h, streams: (sinkhorn(mix), 2 * torch.sigmoid(write)) if doubly else (mix.mT, write)
        mix_map, mix_scale, write_map, write_scale = self.mix_map, self.mix_scale, self.write_map, self.write_scale

        def constrained(h: Tensor, streams: Tensor) -> tuple[Tensor, Tensor]:
            h = rms_normed(h)
            logits = mix + mix_scale * (h @ mix_map).unflatten(-1, (n, -1))
            return sinkhorn(logits), 2 * torch.sigmoid(write + write_scale * (h @ write_map))

        def free(h: Tensor, streams: Tensor) -> tuple[Tensor, Tensor]:
            h = layer_normed(streams)
            return (mix + mix_scale * torch.tanh(h @ mix_map)).mT, write + write_scale * torch.tanh(h @ write_map)

        return constrained if doubly else free


def sinkhorn(logits: Tensor) -> Tensor:
    """Return exp of `(…, n, n)` with columns and rows divided by their sums in turn, rows the last (Sinkhorn & Knopp 1967)."""
    logits = logits.movedim((-2, -1), (0, 1)).contiguous()  # sums over the last axes, which are short, take four times as long
    matrix = (logits - logits.detach().amax((0, 1))).exp()  # a factor on all of it changes no outcome
    for _ in range(ITERATIONS):
        matrix = matrix / matrix.sum(0, keepdim=True)
        matrix = matrix / matrix.sum(1, keepdim=True)
    return matrix.movedim((0, 1), (-2, -1)).contiguous()


def layer_normed(streams: Tensor) -> Tensor:
    """Return each stream without mean and with variance 1, nothing learned: as OLMo's layer norm."""
    return F.layer_norm(streams, streams.shape[-1:])


def rms_normed(h: Tensor) -> Tensor:
    """Return all streams together divided by their root mean square; the weight a channel is in the map behind."""
    return torch.rms_norm(h, h.shape[-1:])


MODULE = Streams
