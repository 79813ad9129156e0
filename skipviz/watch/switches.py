"""What a person has set at the edges of their own module: strengths and gains, applied where a reader takes its tensor."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..learning.gain import with_gain
from ..network import Network
from .layout import Layout
from .trace import Operation, Read
from .words import PRODUCTS

OUTPUT = -1
"""In place of a slot: what the operation gives."""


@dataclass(frozen=True)
class Setting:
    """Of one edge: a factor on what it carries (0: it is off), and one on the gradient that goes back."""

    strength: float = 1.0
    gain: float = 1.0
    multiplies: bool = False
    """Whether its merge is a product, to which 1 stands for nothing."""


class Switches:
    """By operation's key and slot, what is set there."""

    def __init__(self) -> None:
        self.settings: dict[tuple[str, int], Setting] = {}

    def __bool__(self) -> bool:
        return bool(self.settings)

    def applied(self, operation: Operation, read: Read, tensor: Tensor) -> Tensor:
        """Return what an operation is to read in place of `tensor`."""
        setting = self.settings.get((operation.key, read.slot)) if self.settings else None
        if setting is None:
            return tensor
        with torch._C.DisableTorchFunction():
            if setting.strength == 0:
                return Off.apply(tensor, float(setting.multiplies))
            if setting.gain != 1:
                tensor = with_gain(tensor, setting.gain)
                tensor = tensor.clone() if operation.in_place else tensor  # autograd has no view of that changed in place
            if setting.multiplies:
                return tensor if setting.strength == 1 else 1 + setting.strength * (tensor - 1)
            return tensor if setting.strength == 1 else tensor * setting.strength

    def given(self, operation: Operation, tensor: Tensor) -> None:
        """Dampen the gradient that goes back into an operation from what it gave."""
        setting = self.settings.get((operation.key, OUTPUT)) if self.settings else None
        if setting is not None:
            gain = setting.gain
            tensor.register_hook(lambda gradient: gradient * gain if gain else torch.zeros_like(gradient))


class Off(torch.autograd.Function):
    """A number in place of a tensor, through which nothing goes back: not zeros, so what only it leads to keeps its momenta."""

    @staticmethod
    def forward(ctx, x: Tensor, value: float) -> Tensor:
        return torch.full_like(x, value)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return None, None


def settings_of(network: Network, layout: Layout, operations: list[Operation]) -> Switches:
    """Return what the switches, strengths and gains of `network` set in a module, of whose pass these are the operations."""
    found = Switches()
    products = {one for box in layout.boxes.values() if not box.module for one in box.operations if _multiplies(operations[one])}
    for edge in (*network.skips, *network.edges):
        strength = edge.strength if edge.on else 0.0
        if (strength, edge.gain) != (1, 1):
            for operation, slot in layout.reads[edge.id]:
                found.settings[operations[operation].key, slot] = Setting(strength, edge.gain, operation in products)
    for box in (*network.layers, *network.branches):
        if box.gain != 1 and isinstance(state := layout.state_of(box.id), int):
            found.settings[operations[state].key, OUTPUT] = Setting(gain=box.gain)
    return found


def _multiplies(operation: Operation) -> bool:
    """Return whether an operation multiplies two states, of which either may be left out."""
    return operation.name in PRODUCTS and len({read.source for read in operation.reads}) > 1
