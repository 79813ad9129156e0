"""Dropout (Srivastava et al. 2014), whose masks depend on a seed, a layer's id and a step, never on what was drawn before."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .seeding import generator


class Masks:
    """Draws the masks of a network's layers; `step` is the step of the training passes to come.

    While `step` is None, as in a module built for a training loop of one's own, torch's own generator draws, as it does for
    `nn.Dropout`.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.step: int | None = None

    def mask(self, like: Tensor, rate: float, layer: str, kind: str = "dropout") -> Tensor:
        """Return a layer's mask, shaped as `like`: 0 for a share `rate` of the elements, 1/(1 − rate) for the others.

        It is drawn on the CPU for every device, as weights and batches are: a run on CUDA has the masks that were measured
        before it.
        """
        source = generator(self.seed, kind, layer, self.step)
        wide = torch.promote_types(like.dtype, torch.float32)  # 1/(1 − rate) is not a bfloat16
        return torch.empty(like.shape, dtype=wide).bernoulli_(1 - rate, generator=source).div_(1 - rate).to(like.device)

    def path_dropped(self, y: Tensor, rate: float, layer: str) -> Tensor:
        """Return `y` with whole samples left out, as a residual branch's drop-path does."""
        sample = y.new_empty((len(y), *[1] * (y.dim() - 1)))
        if self.step is None:
            return (y * F.dropout(torch.ones_like(sample, dtype=torch.float32), rate)).to(y.dtype)
        return (y * self.mask(sample, rate, layer, "drop path")).to(y.dtype)

    def dropped(self, y: Tensor, rate: float, layer: str) -> Tensor:
        """Return `y` under its layer's mask."""
        return F.dropout(y, rate) if self.step is None else (y * self.mask(y, rate, layer)).to(y.dtype)
