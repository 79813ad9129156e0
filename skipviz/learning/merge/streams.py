"""n residual streams, mixed and written onto."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...network.merge.streams import KEPT
from .towards import function as function

SCALE = 0.01
"""Of what is dynamic, at the start, in both papers."""
ITERATIONS = 20
"""Of Sinkhorn and Knopp, as published."""


class Streams(nn.Module):
    """n streams of `(batch, …, width)` mixed by an n × n matrix, and how much each takes of what is written (Zhu et al. 2024, or
    as `sinkhorn` Xie et al. 2025); at first each keeps itself and takes all, whatever the streams hold."""

    def __init__(self, width: int, streams: int, mixing: str, dynamic: bool = False) -> None:
        super().__init__()
        self.streams, self.doubly, self.mix_map = streams, mixing == "sinkhorn", None
        self.mix = nn.Parameter(torch.eye(streams) * (KEPT if self.doubly else 1.0))
        self.write = nn.Parameter(torch.full((streams,), 0.0 if self.doubly else 1.0))
        if dynamic:
            reads = width if self.doubly else width // streams
            self.mix_map = nn.Parameter(torch.zeros(reads, streams**2 if self.doubly else streams))
            self.write_map = nn.Parameter(torch.zeros((reads, streams) if self.doubly else reads))
            self.mix_scale, self.write_scale = (nn.Parameter(torch.full((), SCALE)) for _ in range(2))

    def forward(self, f: Tensor, h: Tensor) -> Tensor:
        image = h.dim() > 3
        h, f = (h.movedim(1, -1), f.movedim(1, -1)) if image else (h.view_as(h), f)  # one node for all that reads h
        streams = h.unflatten(-1, (self.streams, -1))
        matrix, write = self.weights(h, streams)
        out = (matrix @ streams + write.unsqueeze(-1) * f.unflatten(-1, (self.streams, -1))).flatten(-2)
        # An alias of one channel has other strides, and a convolution then other last digits: this is such an alias.
        return (out := out.movedim(-1, 1)).view_as(out) if image else out

    def weights(self, h: Tensor, streams: Tensor) -> tuple[Tensor, Tensor]:
        """Return M, `(…, n, n)`, of which a row makes a stream, and B, `(…, n)`."""
        mix, write = self.mix, self.write
        if self.mix_map is not None and self.doubly:
            h = rms_normed(h)
            mix = mix + self.mix_scale * (h @ self.mix_map).unflatten(-1, (self.streams, -1))
            write = write + self.write_scale * (h @ self.write_map)
        elif self.mix_map is not None:
            h = layer_normed(streams)
            mix = mix + self.mix_scale * torch.tanh(h @ self.mix_map)
            write = write + self.write_scale * torch.tanh(h @ self.write_map)
        return (sinkhorn(mix), 2 * torch.sigmoid(write)) if self.doubly else (mix.mT, write)


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


@torch.no_grad()
def mean_matrix(module: Streams, h: Tensor) -> Tensor:
    """Return M, `(n, n)`, of what is carried: where it is dynamic, the mean over a batch and its positions."""
    h = h.movedim(1, -1) if h.dim() > 3 else h
    matrix, _ = module.weights(h, h.unflatten(-1, (module.streams, -1)))
    return matrix.flatten(0, -3).mean(0, dtype=module.mix.dtype) if matrix.dim() > 2 else matrix
