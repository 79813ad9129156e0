"""torch's optimizers over flat parameters; what is switched off rests."""

from __future__ import annotations

import torch
from torch import Tensor

from ..network import Network
from ..tasks.experiment import Training
from .parameters import FlatParameters
from .plan import in_force

DEFAULT_MOMENTUM = 0.9
"""Of the optimizer `momentum` where the training says 0."""


def make_optimizer(training: Training, tensors: list[Tensor]) -> torch.optim.Optimizer:
    """Return the optimizer that `training` names, in torch's fused implementation."""
    shared = {"lr": training.learning_rate, "weight_decay": training.weight_decay, "fused": True}
    if training.optimizer == "adam":
        return torch.optim.Adam(tensors, **shared)
    if training.optimizer == "adamw":
        return torch.optim.AdamW(tensors, **shared)
    momentum = training.momentum
    if training.optimizer == "momentum":
        momentum = momentum or DEFAULT_MOMENTUM
    return torch.optim.SGD(tensors, momentum=momentum, **shared)


class Updater:
    """Takes optimizer steps. A skip that is off and a layer that is off keep parameters, momentum and step count."""

    def __init__(self, flat: FlatParameters, training: Training, network: Network) -> None:
        self.flat = flat
        self.optimizer = make_optimizer(training, flat.pieces)
        self.set_network(network)

    def set_network(self, network: Network) -> None:
        """Let the parts that are off in `network` rest from now on."""
        owners = self.flat.owners
        self.active = [owner is None or in_force(network.skips[owner]) for owner in owners]
        spans = zip(self.flat.layers, self.flat.scales, network.layers, strict=True)
        self.resting = [span for layer, scale, part in spans if not part.on for span in (layer, scale) if span[1] > span[0]]

    def set_learning_rate(self, learning_rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate

    def step(self, gradient: Tensor) -> None:
        """Update all parameters that do not rest by the flat `gradient`."""
        for index, (piece, active) in enumerate(zip(self.flat.pieces, self.active, strict=True)):
            start, end = self.flat.piece_span(index)
            piece.grad = gradient[start:end] if active else None
        kept = [(tensor, span, tensor[slice(*span)].clone()) for tensor in self._trunk_tensors() for span in self.resting]
        self.optimizer.step()
        for piece in self.flat.pieces:
            piece.grad = None  # else a gradient of all parameters is held through the next step
        for tensor, span, old in kept:
            tensor[slice(*span)] = old

    def _trunk_tensors(self) -> list[Tensor]:
        """Return the trunk's values and its optimizer state, element by element alike."""
        if not self.resting:
            return []
        trunk = self.flat.pieces[0]
        state = self.optimizer.state.get(trunk, {})
        return [trunk, *(t for t in state.values() if isinstance(t, Tensor) and t.shape == trunk.shape)]
