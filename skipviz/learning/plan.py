"""The forward pass as a list of plain functions, made anew whenever a switch, strength or gain changes.

Between such events every live value is a constant of the plan. A trainer's plan binds the parameters too, so that a step
costs what a hand-written loop costs; a module's own plan calls the modules, as they are at each call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..network import Network, Skip
from ..network.base import channel_axis, channels
from ..network.merge import MERGES
from ..network.rest import ends_branch, passes_on
from .layer import composed
from .merge import FUNCTIONS
from .operation import Function


class Tape:
    """What a recorded forward pass leaves behind: the states, and an alias of a state for each use at a fork.

    An alias is made at the very moment of use and nothing else differs, so autograd sums the same numbers in the same
    order as on a step that is not recorded.
    """

    __slots__ = ("bare_adds", "gates", "skips", "states", "trunks")

    def __init__(self) -> None:
        self.states: list[Tensor] = []
        self.trunks: dict[int, Tensor] = {}
        """By state: what the trunk reads of it. A state that is no fork is missing."""
        self.skips: dict[int, Tensor] = {}
        """By the skip's position in the network: what it reads of its source. A skip that is off is missing."""
        self.gates: dict[int, Tensor] = {}
        """By the skip's position: its gate's T."""
        self.bare_adds: dict[int, tuple[int, float]] = {}
        """By position, target and strength of skips that only add their source: what comes back through one is the
        target's gradient times its strength, so it needs no alias."""


@dataclass(slots=True)
class Carry:
    """One skip in force; `adapt` gives what it carries of a state, with its T where it has one: None where that is the state."""

    index: int
    source: int
    strength: float
    adapt: Callable[[Tensor], Tensor | tuple[Tensor, Tensor]] | None
    merge: Callable[..., Tensor]
    """What torch computes of its merge."""
    maps: bool = False
    """Whether A comes with a T."""
    sums: bool = False
    first: bool = False

    def read(self, states: list[Tensor], tape: Tape | None) -> Tensor:
        h = states[self.source]
        if tape is not None or self.maps:  # T and A both read a gate's alias: always one node
            h = h.view_as(h)
            if tape is not None:
                tape.skips[self.index] = h
        return h


@dataclass(slots=True)
class Missing:
    """A concat that is off: zeros in its place."""

    shape: tuple[int, ...]


@dataclass(slots=True)
class Step:
    """From h_k to h_{k+1}: `joined` widens what is read, `function` is f, `landing` lands on the result."""

    state: int
    fork: bool
    axis: int
    function: Function
    joined: list[Carry | Missing] = field(default_factory=list)
    landing: list[Carry] = field(default_factory=list)
    """In the order in which they act."""
    spent: list[int] = field(default_factory=list)
    """States that nothing reads after this step."""


class Plan:
    """The forward pass of a model under the switches, strengths and gains of `network`.

    For training or for evaluation, with the parameters bound; or, where `training` is None, one that calls the model's
    modules, each in a mode of its own, and has them take what `network` says.
    """

    def __init__(self, model, network: Network, training: bool | None) -> None:
        self.input, self.tokens = tuple(network.input), network.takes_tokens
        self.steps = _steps(model, network, training)
        self.bare_adds = {
            skip.index: (step.state + 1, skip.strength)
            for step in self.steps
            for skip in step.landing
            if skip.sums and skip.adapt is None
        }

    def run(self, x: Tensor, tape: Tape | None = None) -> Tensor:
        """Return the head's outputs for `x` (batch first); with a tape, keep what a probe needs.

        Without one, a state is let go after its last reader: a picture of thousands of points then takes a few states'
        memory instead of all.
        """
        h = x.reshape(x.shape[0], *self.input)
        states: list[Tensor | None] = [h := h.long() if self.tokens else h]
        if tape is not None:
            tape.states, tape.bare_adds = states, self.bare_adds
        for step in self.steps:
            if tape is not None and step.fork:
                tape.trunks[step.state] = h = h.view_as(h)
            if step.joined:
                h = torch.cat([h, *[_joined(part, h, states, tape) for part in step.joined]], step.axis)
            h = step.function(h)
            for skip in step.landing:
                if skip.adapt is None:
                    carried = states[skip.source] if skip.sums else skip.read(states, tape)
                else:
                    carried = skip.adapt(skip.read(states, tape))
                if skip.maps and tape is not None:
                    tape.gates[skip.index] = carried[1].detach()
                h = skip.merge(h, carried, skip.strength)
            if tape is not None and not h.requires_grad:
                h.requires_grad_()  # zeros from a layer that is off: nothing leads on from them, and yet they have a gradient
            states.append(h)
            if tape is None:
                for state in step.spent:
                    states[state] = None
        return states.pop()


def _joined(part: Carry | Missing, h: Tensor, states: list[Tensor], tape: Tape | None) -> Tensor:
    if isinstance(part, Missing):
        return h.new_zeros((h.shape[0], *part.shape))
    h = part.read(states, tape)
    if part.adapt is not None:
        h = part.adapt(h)
    return part.merge(h, part.strength)


def _steps(model, network: Network, training: bool | None) -> list[Step]:
    forks = {skip.source for skip in network.skips if skip.in_force}
    landing: dict[int, list[tuple[int, Skip]]] = {}
    for index, skip in enumerate(network.skips):
        landing.setdefault(skip.target, []).append((index, skip))
    steps = []
    for k in range(network.depth + 1):
        shape = network.shapes.states[k]
        joined, frozen, first = [], [], channels(shape)
        for index, skip in landing.get(k, ()):
            if not skip.joins:
                continue
            carried = network.shapes.skips[index].carried
            if skip.in_force:
                joined.append(_carry(model, index, skip, training))
            else:
                joined.append(Missing(carried))
                frozen.append(slice(first, first + channels(carried)))
            first += channels(carried)
        function = _function(model, network, k, training, tuple(frozen))
        step = Step(k, k in forks, 1 + channel_axis(shape), function, joined)
        for index, skip in landing.get(k + 1, ()):
            if not skip.joins and skip.in_force:
                step.landing.append(_carry(model, index, skip, training))
        step.landing.sort(key=lambda carry: not carry.first)
        steps.append(step)
    _note_spent(steps)
    return steps


def _note_spent(steps: list[Step]) -> None:
    """Note after which step each state is spent."""
    last = {step.state: step.state for step in steps}
    for step in steps:
        for part in (*step.joined, *step.landing):
            if isinstance(part, Carry):
                last[part.source] = max(last[part.source], step.state)
    for state, reader in last.items():
        steps[reader].spent.append(state)


def _function(model, network: Network, k: int, training: bool | None, frozen: tuple[slice, ...]) -> Function:
    if k == network.depth:
        head = (lambda x: model.head(x)) if training is None else model.head.function()
        return head if model.reads is None else composed([model.reads, head])
    layer, identity = network.layers[k], not network.layers[k].on and passes_on(network, k + 1)
    if layer.drop_path and not ends_branch(network, k + 1):
        layer = layer.model_copy(update={"drop_path": 0.0})
    if training is None:
        model.layers[k].set_layer(layer, frozen, identity)
        return lambda x: model.layers[k](x)
    return model.layers[k].function(layer, training, frozen) if layer.on else model.layers[k].resting(identity)


def _carry(model, index: int, skip: Skip, training: bool | None) -> Carry:
    module, kind = model.skips[index], MERGES[skip.merge]
    if training is None:
        module.set_skip(skip)
        adapt = lambda h: model.skips[index](h)  # noqa: E731
    else:
        adapt = module.carry(skip, training)
        if kind.maps:
            adapt = _with_gate(adapt, module.transform_gate(skip, training))
    return Carry(index, skip.source, skip.strength, adapt, FUNCTIONS[skip.merge], kind.maps, kind.sums, kind.first)


def _with_gate(adapt: Function | None, transform: Function) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    return lambda h: (h if adapt is None else adapt(h), transform(h))


__all__ = ["Carry", "Missing", "Plan", "Step", "Tape"]
