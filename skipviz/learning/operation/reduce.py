"""Several streams as one state."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..merge.streams import SCALE, layer_normed, rms_normed


class Reduce(nn.Module):
    """Weighs the streams of `(batch, …, width)` into one: by any weights (Zhu et al. 2024) or, as `sinkhorn`, by those between 0
    and 1 (Xie et al. 2025).

    At first the sum of weights is 1, most of it the `first` stream's. Free weights are e_first, as published; of σ, for which no
    start is named, 3/4 and, of the others, equal parts of 1/4: where all streams are equal, both read one of them.
    """

    def __init__(self, width: int, streams: int, mixing: str, first: int = 0, dynamic: bool = False) -> None:
        super().__init__()
        self.streams, self.mixing, self.weight, self.map = streams, mixing, None, None
        if mixing == "sum":
            return
        positive = mixing == "sinkhorn"
        weight = torch.full((streams,), -math.log(4 * streams - 5) if positive else 0.0)
        weight[first] = math.log(3) if positive else 1.0
        self.weight = nn.Parameter(weight)
        if dynamic:
            self.map = nn.Parameter(torch.zeros((width, streams) if positive else width // streams))
            self.scale = nn.Parameter(torch.full((), SCALE))

    def forward(self, x: Tensor) -> Tensor:
        image = x.dim() > 3
        x = x.movedim(1, -1) if image else x.view_as(x)  # one node for its uses
        streams = x.unflatten(-1, (self.streams, -1))
        weight = self.weights(x, streams)
        out = streams.sum(-2) if weight is None else (weight.unsqueeze(-2) @ streams).squeeze(-2)
        # An alias of one channel has other strides, and a convolution then other last digits: this is such an alias.
        return (out := out.movedim(-1, 1)).view_as(out) if image else out

    def weights(self, x: Tensor, streams: Tensor) -> Tensor | None:
        """Return how much each stream counts, `(…, n)`; None where each counts 1."""
        weight = self.weight
        if self.mixing == "sinkhorn":
            return torch.sigmoid(weight if self.map is None else weight + self.scale * (rms_normed(x) @ self.map))
        return weight if self.map is None else weight + self.scale * torch.tanh(layer_normed(streams) @ self.map)
