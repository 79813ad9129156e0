"""Batch t as a pure function of (seed, t): a stream of epochs, each in an order of its own."""

from __future__ import annotations

from collections.abc import Sequence

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
            return self.order(epoch)[start:end]
        return torch.cat([self.order(epoch)[start:], self.order(epoch + 1)[: end - self.count]])

    def order(self, epoch: int) -> Tensor:
        """Return the sample numbers of an epoch, in the order in which they come."""
        if epoch not in self._orders:
            self._orders = {number: kept for number, kept in self._orders.items() if abs(number - epoch) <= 1}
            self._orders[epoch] = torch.randperm(self.count, generator=generator(self.seed, "epoch", epoch))
        return self._orders[epoch]


class JointBatches:
    """Batches of several seeds, one behind the other."""

    def __init__(self, seeds: Sequence[Batches]) -> None:
        self._seeds, self._first = seeds, seeds[0]
        self._epoch, self._orders = -1, torch.empty(0)

    def indices(self, t: int) -> Tensor:
        """Return the sample numbers of the seeds' batches t, shape `(seeds · size,)`."""
        epoch, start = divmod(t * self._first.size, self._first.count)
        end = start + self._first.size
        if end > self._first.count:
            return torch.cat([seed.indices(t) for seed in self._seeds])
        if epoch != self._epoch:
            self._epoch, self._orders = epoch, torch.stack([seed.order(epoch) for seed in self._seeds])
        return self._orders[:, start:end].reshape(-1)
