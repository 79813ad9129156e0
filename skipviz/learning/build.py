"""From a network's description to a torch module."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..network import Head, Network, NetworkError
from ..network.base import Shape, channels, elements, is_image
from ..network.operation import Convolution, Identity, Linear
from .dropout import Masks
from .layer import LayerModule, composed
from .operation import MODULES, Function
from .plan import Plan, Tape
from .seeding import generator
from .skip import SkipModule


class HeadModule(nn.Module):
    """Reads the last state and the concats that land there, and gives the outputs."""

    def __init__(self, head: Head, shape: Shape, seed: int) -> None:
        super().__init__()
        self.flattens = head.kind == "classes" and head.flatten and len(shape) > 1
        self.averages = head.kind == "classes" and not head.flatten and len(shape) > 1
        self.axes = (2, 3) if is_image(shape) else (1,)
        if head.kind == "state":
            self.operation = MODULES[Identity](Identity(), shape)
        elif head.kind == "pixels":
            self.operation = MODULES[Convolution](Convolution(width=head.outputs, kernel=1, bias=head.bias), shape)
        else:
            read = (elements(shape) if head.flatten else channels(shape),) if head.kind == "classes" else shape
            self.operation = MODULES[Linear](Linear(width=head.outputs, bias=head.bias), read)
        self.operation.initialise(head.init, generator(seed, "head"))

    def function(self) -> Function:
        """Return the head as a function of what it reads."""
        axes, operation = self.axes, self.operation.function()
        if self.averages:
            return composed([lambda x: x.mean(axes), operation])
        return composed([lambda x: x.flatten(1), operation]) if self.flattens else operation


class NetworkModule(nn.Module):
    """A network in torch. `(batch, *network.input)` → the head's outputs.

    Its parameters are those that `network.parameter_count()` counts. Switches, strengths and gains are those of
    `network` and change through `set_network`; they reshape nothing.
    """

    def __init__(self, network: Network, seed: int = 0) -> None:
        super().__init__()
        shapes = network.shapes
        self.network, self.masks = network, Masks(seed)
        self.layers = nn.ModuleList(
            LayerModule(layer, shape, seed, self.masks) for layer, shape in zip(network.layers, shapes.layers, strict=True)
        )
        self.skips = nn.ModuleList(
            SkipModule(skip, shape, shapes.states[skip.source], shapes.states[skip.target], seed)
            for skip, shape in zip(network.skips, shapes.skips, strict=True)
        )
        self.head = HeadModule(network.head, shapes.head_input, seed)
        self._plans: dict[bool, Plan] = {}

    def set_network(self, network: Network) -> None:
        """Take the switches, strengths and gains of `network`; raises `NetworkError` if its structure differs."""
        if network.shapes != self.network.shapes or _wiring(network) != _wiring(self.network):
            raise NetworkError("this change gives another network, so it needs a run of its own")
        self.network = network
        self._plans = {}

    def plan(self) -> Plan:
        """Return the forward pass in force for the present mode (training or evaluation)."""
        if self.training not in self._plans:
            self._plans[self.training] = Plan(self, self.network, self.training)
        return self._plans[self.training]

    def forward(self, x: Tensor, tape: Tape | None = None) -> Tensor:
        return self.plan().run(x, tape)

    def __getstate__(self) -> dict:
        """Leave the plans out: they hold this module's own parameters, and a copy must make its own."""
        return {**self.__dict__, "_plans": {}}

    def _apply(self, function, recurse=True):
        self._plans = {}
        return super()._apply(function, recurse)


def build(network: Network, seed: int = 0) -> NetworkModule:
    """Return `network` as a torch module with float32 parameters on the CPU.

    Every layer and skip draws its weights from a generator of its own, seeded by `seed` and its id, so that toggling,
    adding or inserting changes no other layer's weights (except where a concat changes a fan-in).
    """
    with torch.no_grad():
        return NetworkModule(network, seed)


def _wiring(network: Network) -> tuple:
    layers = tuple(layer.model_copy(update={"on": True, "gain": 1.0}) for layer in network.layers)
    skips = tuple(skip.model_copy(update={"on": True, "gain": 1.0, "strength": 1.0}) for skip in network.skips)
    return layers, skips, network.head
