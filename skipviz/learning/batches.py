"""Batch t as a pure function of (seed, t): a stream of epochs, each in an order of its own."""

from __future__ import annotations

import torch
from torch import Tensor

from .seeding import generator


class Batches:
    """Batches of constant size from `count` samples; two epochs may meet in one batch."""

    def __init__(self, count: int, size: int, seed: int) -> None:
        self.count, self.size, self.seed = count, min(size, count), seed
        self._orders = {}  # by epoch

    def indices(self, t: int) -> Tensor:
        """Return the sample numbers of batch t, shape `(size,)`."""
        epoch, start = divmod(t * self.size, self.count)
        end = start + self.size
        if end <= self.count:
            return self._order(epoch)[start:end]
        return torch.cat([self._order(epoch)[start:], self._order(epoch + 1)[: end - self.count]])

    def _order(self, epoch: int) -> Tensor:
        if epoch not in self._orders:
            self._orders = {number: kept for number, kept in self._orders.items() if abs(number - epoch) <= 1}
            self._orders[epoch] = torch.randperm(self.count, generator=generator(self.seed, "epoch", epoch))
        return self._orders[epoch]
