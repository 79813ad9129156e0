"""Gradients and signals of a network as it is initialised, through the product's own build and probe. Imports torch."""

from __future__ import annotations

import torch

from ..learning.build import build
from ..learning.probe import Gradients, gradients, record
from ..learning.recording import Recording
from ..network.network import Network


def backward(network: Network, seed: int, batch: int = 64, double: bool = False) -> tuple[Recording, Gradients]:
    """Return a recorded forward pass of `batch` standard normal inputs, and the gradients of a random linear
    functional of the last state, which has no favourite direction as a loss has."""
    kind = torch.float64 if double else torch.float32
    generator = torch.Generator().manual_seed(seed)
    model = build(network, seed).to(kind)
    inputs = torch.randn(batch, *network.input, generator=generator).to(kind)
    _, recording = record(model.bound(network, True), inputs)
    last = recording.states[-1]
    functional = (last * torch.randn(last.shape, generator=generator).to(kind)).sum()
    return recording, gradients(functional, [], recording)


def state_norms(network: Network, seed: int, batch: int = 64, double: bool = False) -> tuple[list[float], list[float]]:
    """Return the L2 norms of all states' gradients and of all states, over the batch, h_0 first."""
    recording, found = backward(network, seed, batch, double)
    return [_norm(part) for part in found.states], [_norm(h.detach()) for h in recording.states]


def _norm(part: torch.Tensor) -> float:
    """Return an L2 norm whose squares would be too small for a number."""
    largest = part.abs().max()
    return (largest * (part / largest).norm()).item() if largest else 0.0
