"""What a person has set in their own module: strengths and gains of what is read, and layers that are off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..learning.gain import with_gain
from ..network import Network
from ..network.chain import wiring_of
from ..network.rest import stand_ins
from .errors import WatchError
from .layout import Layout, state_shape
from .trace import Operation, Read, Trace
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


@dataclass(frozen=True)
class StandIn:
    """What takes the place of what a layer gives that is off: what it reads at `of`, an operation's key and slot; None: zeros."""

    of: tuple[str, int] | None = None


class Switches:
    """By operation's key and slot, what is set there."""

    def __init__(self) -> None:
        self.settings: dict[tuple[str, int], Setting] = {}
        self.off: dict[str, StandIn] = {}
        """By the key of the operation that gives a layer's state, what stands in for it."""
        self._passed: dict[tuple[str, int], Tensor | None] = {}

    def __bool__(self) -> bool:
        return bool(self.settings or self.off)

    def fits(self, operations: Sequence[Operation], trace: Trace) -> bool:
        """Return whether a pass ran the same `operations`, dropouts apart, in every module call in which something is set."""
        places = {key for key, _ in (*self.settings, *self._passed)} | self.off.keys()
        calls = {key.rpartition(":")[0] for key in places}

        def within(operations: Sequence[Operation]) -> list[tuple[str, str]]:
            here = [one for one in operations if one.key.rpartition(":")[0] in calls]
            return [(one.key, one.name) for one in here if "dropout" not in one.name]

        return within(operations) == within(trace.operations)

    def pass_on(self, places: Iterable[tuple[str, int]]) -> None:
        """Keep what is read at these places, for what reads it in place of a layer."""
        self._passed = dict.fromkeys(places)

    def stood_in(self, operation: Operation, output):
        """Return what is to be had of an operation in place of its output."""
        stand_in = self.off.get(operation.key) if self.off else None
        if stand_in is None:
            return output
        with torch._C.DisableTorchFunction():
            if not isinstance(output, Tensor):
                raise WatchError(
                    f"the layer behind {operation.name} gives several tensors, and nothing takes their place: leave it on"
                )
            if stand_in.of is None:
                return Off.apply(output, 0.0)
            given, self._passed[stand_in.of] = self._passed[stand_in.of], None
            if given.numel() != output.numel() or state_shape(given.shape[1:]) != state_shape(output.shape[1:]):
                raise WatchError(
                    f"the layer behind {operation.name} reads {tuple(given.shape)} and gives {tuple(output.shape)}: "
                    "passing on what it reads is nothing that the module goes on with, so leave it on"
                )
            return given.reshape(output.shape).view_as(output)

    def check(self, trace: Trace) -> None:
        """Raise `WatchError` where a pass went on with what a layer gave that is off."""
        changed = {number: one for number, one in enumerate(trace.operations) if one.in_place and one.key in self.off}
        read = {one.source for operation in trace.operations for one in operation.reads} | {*trace.outputs}
        for number, operation in changed.items():
            if number not in read:
                raise WatchError(f"{operation.name} changes in place what the module goes on with, so its layer cannot be off")

    def applied(self, operation: Operation, read: Read, tensor: Tensor) -> Tensor:
        """Return what an operation is to read in place of `tensor`."""
        tensor = self._scaled(operation, read, tensor)
        if (operation.key, read.slot) in self._passed:
            self._passed[operation.key, read.slot] = tensor
        return tensor

    def _scaled(self, operation: Operation, read: Read, tensor: Tensor) -> Tensor:
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
    stands = {} if all(box.on for box in (*network.layers, *network.branches)) else stand_ins(wiring_of(network))
    for name, kind in stands.items():
        found.off[operations[layout.state_of(name)].key] = StandIn(None if kind == "zeros" else _read_of(layout, operations, name))
    found.pass_on(one.of for one in found.off.values() if one.of is not None)
    return found


def _read_of(layout: Layout, operations: list[Operation], name: str) -> tuple[str, int]:
    """Return where a box reads its first state: whole, where it does that anywhere."""
    places, shape = layout.boxes[name].sources[0].reads, operations[layout.state_of(name)].shape
    whole = [place for place in places for read in operations[place[0]].reads if (read.slot, read.shape) == (place[1], shape)]
    number, slot = (whole or places)[0]
    return operations[number].key, slot


def _multiplies(operation: Operation) -> bool:
    """Return whether an operation multiplies two states, of which either may be left out."""
    return operation.name in PRODUCTS and len({read.source for read in operation.reads}) > 1
