"""The forward pass as a list of plain functions, made anew whenever a switch, strength or gain changes.

Between such events every live value is a constant of the plan. A trainer's plan binds the parameters too, so that a step
costs what a hand-written loop costs; a module's own plan calls the modules, as they are at each call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor

from ..network.base import Shape, axes, channel_axis, elements, is_image
from ..network.layer import Layer
from ..network.merge import MERGES
from ..network.rest import stand_ins
from ..network.wiring import Joint, Wiring, is_plain
from .gain import with_gain
from .layer import called_or_bound, composed
from .merge import FUNCTIONS, weighed
from .merge.add import shares
from .merge.streams import mean_matrix
from .operation import Function
from .recording import Recording, States

Reads = Callable[[States, Recording | None], Tensor]
"""What a node makes, or an edge brings, of the states up to now."""


@dataclass(slots=True)
class Step:
    """One node's state."""

    name: str
    computes: Reads
    spent: list[str] = field(default_factory=list)
    """States that nothing reads after this step."""


class Plan:
    """The forward pass of a module under the switches, strengths and gains of `wiring`.

    For training or for evaluation, with the parameters bound; or, where `training` is None, one that calls the module's
    parts, each in a mode of its own, and has them take what `wiring` says.
    """

    def __init__(self, module, wiring: Wiring, training: bool | None) -> None:
        self._module, self._wiring, self._training = module, wiring, training
        self.inputs = [(name, shape, wiring.takes_tokens(name)) for name, shape in wiring.inputs.items()]
        self._sizes = [elements(shape) for shape in wiring.inputs.values()]
        self.output = wiring.output
        leaving = {name: [edge for edge in edges if edge.in_force] for name, edges in wiring.leaving.items()}
        self._forks = {name for name, edges in leaving.items() if len(edges) + (name == wiring.output) > 1}
        self._resting = stand_ins(wiring)
        self._hidden = {node.id for node, behind in pairwise(wiring.order) if self._is_hidden(node, behind)}
        self._bare: dict[str, tuple[str, float]] = {}
        self._sole = {edges[0].id: name for name, edges in leaving.items() if len(edges) == 1 and name not in self._forks}
        self._steps = [Step(node.id, self._computes(node)) for node in wiring.order if node.id not in self._hidden]
        self._note_spent()
        head = (lambda x: module.head(x)) if training is None else called_or_bound(module.head, training)
        self._head = head if module.reads is None else composed([module.reads, head])

    def run(self, x: Tensor | tuple[Tensor, ...], recording: Recording | None = None) -> Tensor:
        """Return the head's outputs for `x` (batch first).

        Where there are several inputs, `x` is a tuple of them, or each sample is all of them one behind the other.
        Where it is recorded, keep what a probe needs; else let a state go after its last reader: a picture of thousands of points
        then takes a few states' memory instead of all.
        """
        states: States = {}
        x = (x,) if isinstance(x, Tensor) else x
        if len(x) == 1 < len(self.inputs):
            x = x[0].flatten(1).split(self._sizes, dim=1)
        for (name, shape, tokens), given in zip(self.inputs, x, strict=True):
            h = given.reshape(given.shape[0], *shape)
            states[name] = h.long() if tokens else h
        if recording is None:
            for step in self._steps:
                states[step.name] = step.computes(states, None)
                for name in step.spent:
                    del states[name]
            return self._head(states.pop(self.output))
        recording.by_node, recording.bare, recording.sole, recording.trunk = states, self._bare, self._sole, self._wiring.trunk
        for step in self._steps:
            h = step.computes(states, recording)
            if not h.requires_grad:
                h.requires_grad_()  # zeros from a layer that is off: nothing leads on from them, and yet they have a gradient
            states[step.name] = h
        return self._head(states[self.output])

    def layer(self, node: Layer) -> Function:
        """Return what a layer makes of what it reads."""
        return self._function(node)

    def _is_hidden(self, node: Layer, behind: Layer) -> bool:
        """Whether only the merge right behind reads it, unchanged and first: its state is then that merge's."""
        wiring, leaving = self._wiring, self._wiring.leaving[node.id]
        if behind.id not in wiring.merges or wiring.joins(node.id) or wiring.joins(behind.id) or len(leaving) != 1:
            return False
        edge = leaving[0]
        return node.id != wiring.output and wiring.arriving[behind.id][0] is edge and is_plain(edge)

    def _computes(self, node: Layer) -> Reads:
        if node.id not in self._wiring.merges:
            return self._layer(node)
        return self._joined(node) if self._wiring.joins(node.id) else self._landed(node)

    def _layer(self, node: Layer) -> Reads:
        """Return what a layer makes of what its edge brings."""
        edge, function = self._wiring.arriving[node.id][0], self._function(node)
        source, name = edge.source, edge.id
        if not is_plain(edge):
            read = self._read(edge, None, edge.strength)
            return lambda states, recording: function(read(states, recording))
        if source not in self._forks:
            return lambda states, _: function(states[source])

        def forked(states: States, recording: Recording | None) -> Tensor:
            h = states[source]
            if recording is not None:
                recording.uses[name] = h = h.view_as(h)
            return function(h)

        return forked

    def _function(self, node: Layer) -> Function:
        wiring, owner = self._wiring, self._wiring.owner(node)
        module, frozen = self._module.layer_of(owner), tuple(slice(*part) for part in wiring.zeroed(node.id))
        identity = self._resting.get(node.id) == "identity"
        if node.drop_path and not wiring.ends_branch(node.id):
            node = node.model_copy(update={"drop_path": 0.0})
        if self._training is None and owner == node.id:
            module.set_layer(node, frozen, identity)
            return lambda x: self._module.layer_of(owner)(x)
        return module.function(node, self._training, frozen) if node.on else module.resting(identity)

    def _read(self, edge: Joint, adapt: Function | None, strength: float, twice: bool = False) -> Reads:
        """Return what an edge brings: its source, an alias of it where that is a fork, adapted and times `strength`.

        What is used `twice` is an alias where nothing is recorded, too: what comes back of its uses always sums before the fork's
        other parts.
        """
        source, name, fork = edge.source, edge.id, edge.source in self._forks
        if source in self._hidden:
            return self._computes(self._wiring.nodes[source])
        if not edge.in_force:
            shape = self._wiring.shapes.edges[name].carried
            return lambda states, _: states[source].new_zeros((states[source].shape[0], *shape))
        if adapt is None and edge.gain != 1:
            adapt = lambda h: with_gain(h, edge.gain)  # noqa: E731

        def read(states: States, recording: Recording | None) -> Tensor:
            h = states[source]
            if fork and (twice or recording is not None):
                h = h.view_as(h)
            if fork and recording is not None:
                recording.uses[name] = h
            if adapt is not None:
                h = adapt(h)
            return h if strength == 1 else h * strength

        return read

    def _adapter(self, edge: Joint) -> Function | None:
        """Return x ↦ A(x) with the edge's gradient gain, or None where that changes nothing."""
        module = self._module.carrier(edge.id)
        if module is None:
            return None
        skip = module.skip if module.skip.gain == edge.gain else module.skip.model_copy(update={"gain": edge.gain})
        if self._training is not None:
            return module.carry(skip, self._training)
        module.set_skip(skip)
        return lambda h: self._module.carrier(edge.id)(h)

    def _joined(self, node: Layer) -> Reads:
        """Return the states that a concat's edges bring beside each other."""
        axis = 1 + channel_axis(self._wiring.shapes.states[node.id])
        arriving = self._wiring.arriving[node.id]
        reads = [self._part(edge, node.op.kind) for edge in arriving]
        return lambda states, recording: torch.cat([read(states, recording) for read in reads], axis)

    def _part(self, edge: Joint, kind: str) -> Reads:
        """Return what an edge brings of a concat."""
        if edge.in_force and edge.learned:
            return self._read(edge, self._with_strength(edge, kind, self._adapter(edge)), 1.0)
        return self._read(edge, self._adapter(edge) if edge.in_force else None, edge.strength)

    def _with_strength(self, edge: Joint, kind: str, adapt: Function | None) -> Function:
        """Return x ↦ what an edge carries of it, with its learned strength."""
        module, name = self._module, edge.id
        if self._training is None:
            times = lambda x: weighed(kind, x, module.carrier(name).strength)  # noqa: E731
        else:
            strength = module.carrier(name).strength
            times = lambda x: weighed(kind, x, strength)  # noqa: E731
        return times if adapt is None else composed([adapt, times])

    def _landed(self, node: Layer) -> Reads:
        """Return what the edges after the first make of the state that the first brings, one after the other."""
        kind, shape = node.op.kind, self._wiring.shapes.states[node.id]
        first, *others = self._wiring.arriving[node.id]
        begins = self._begins(first, kind, shape)
        landing = [(self._carried(edge, kind, shape), 1.0 if edge.learned else edge.strength) for edge in others if edge.in_force]
        land = FUNCTIONS[kind]
        if any(edge.in_force and edge.softmax for edge in others):
            return self._shared([edge.softmax for edge in others if edge.in_force], node, landing)
        if not landing:
            return begins if first.source in self._hidden else lambda states, recording: (h := begins(states, recording)).view_as(h)
        if len(landing) == 1:
            read, strength = landing[0]
            return lambda states, recording: land(begins(states, recording), read(states, recording), strength)

        def landed(states: States, recording: Recording | None) -> Tensor:
            h = begins(states, recording)
            for read, strength in landing:
                h = land(h, read(states, recording), strength)
            return h

        return landed

    def _shared(self, softmax: list[bool], node: Layer, landing: list[tuple[Reads, float]]) -> Reads:
        """Return a sum of which the state that the first edge brings and those of `softmax` are shares of 1."""
        first, *others = self._wiring.arriving[node.id]
        begins = self._read(first, self._adapter(first) if first.in_force else None, first.strength)
        names, land = [edge.id for edge in others if edge.in_force and edge.softmax], FUNCTIONS[node.op.kind]
        strengths = lambda: [self._module.carrier(name).strength for name in names]  # noqa: E731
        if self._training is not None:
            bound = strengths()
            strengths = lambda: bound  # noqa: E731

        def shared(states: States, recording: Recording | None) -> Tensor:
            own, *rest = shares(*strengths())
            left, h = iter(rest), begins(states, recording) * own
            for (read, strength), sharing in zip(landing, softmax, strict=True):
                carried = read(states, recording)
                h = h + carried * next(left) if sharing else land(h, carried, strength)
            return h

        return shared

    def _begins(self, edge: Joint, kind: str, shape: Shape) -> Reads:
        if edge.in_force and edge.learned:
            return self._read(edge, self._with_strength(edge, "add", self._adapter(edge)), 1.0)
        if edge.source in self._hidden or not MERGES[kind].sums or not edge.in_force:
            return self._read(edge, self._adapter(edge) if edge.in_force else None, edge.strength, twice=MERGES[kind].maps)
        return self._carried(edge, kind, shape) if edge.strength == 1 else self._read(edge, self._adapter(edge), edge.strength)

    def _carried(self, edge: Joint, kind: str, shape: Shape) -> Reads:
        """Return what an edge carries to a state of `shape`, without a fixed strength; with a gate's T, or what both make."""
        source, adapt = edge.source, self._adapter(edge)
        if MERGES[kind].maps:
            return self._gated(edge, kind)
        if MERGES[kind].learns:
            return self._both(edge, adapt)
        if MERGES[kind].sums and adapt is None and edge.gain == 1 and not edge.learned:
            self._bare[edge.id] = (edge.target, edge.strength)
            return lambda states, _: states[source]
        carried = self._wiring.shapes.edges[edge.id].carried
        if len(carried) == 1 and len(shape) > 1:
            ones = (None,) * axes(shape)
            spread = (lambda h: h[(..., *ones)]) if is_image(shape) else (lambda h: h[:, None, :])
            adapt = composed([part for part in (adapt, spread) if part is not None])
        if edge.learned and not edge.softmax:
            adapt = self._with_strength(edge, kind, adapt)
        return self._read(edge, adapt, 1.0)

    def _gated(self, edge: Joint, kind: str) -> Callable[[States, Recording | None], tuple[Tensor, Tensor]]:
        name, source, module = edge.id, edge.source, self._module.carrier(edge.id)
        skip = module.skip.model_copy(update={"gain": edge.gain})
        if self._training is None:
            module.set_skip(skip)
            carry = lambda h: self._module.carrier(name)(h)  # noqa: E731
        else:
            adapt, transform = module.carry(skip, self._training), module.transform_gate(skip, self._training)
            carry = lambda h: (h if adapt is None else adapt(h), transform(h))  # noqa: E731
        share = self._with_strength(edge, kind, None) if edge.learned else None

        def read(states: States, recording: Recording | None) -> tuple[Tensor, Tensor]:
            h = states[source].view_as(states[source])  # T and A both read this alias: always one node
            carried = carry(h)
            if recording is not None:
                recording.uses[name], recording.gates[name] = h, carried[1].detach()
            return carried if share is None else (carried[0], share(carried[1]))

        return read

    def _both(self, edge: Joint, adapt: Function | None) -> Callable[[States, Recording | None], tuple]:
        """Return what is carried, the function of it and of the target, and its learned strength, which land together."""
        read, carrier = self._read(edge, adapt, 1.0), self._module.carrier
        if MERGES[self._wiring.nodes[edge.target].op.kind].mixes:
            read = self._noting(edge.id, read)
        if self._training is None:
            return lambda states, recording: (read(states, recording), carrier(edge.id).joined(None), carrier(edge.id).strength)
        joined, strength = carrier(edge.id).joined(self._training), carrier(edge.id).strength
        return lambda states, recording: (read(states, recording), joined, strength)

    def _noting(self, name: str, read: Reads) -> Reads:
        """Return what reads the same, and notes on a recording how an edge mixes the streams that it brings."""
        module = self._module.carrier(name)

        def noted(states: States, recording: Recording | None) -> Tensor:
            h = read(states, recording)
            if recording is not None:
                recording.matrices[name] = mean_matrix(module.both, h.detach())
            return h

        return noted

    def _note_spent(self) -> None:
        """Note after which step each state is spent."""
        last: dict[str, Step] = {name: self._steps[0] for name, _, _ in self.inputs}
        for step in self._steps:
            last[step.name] = step
            left = [step.name]
            while left:
                for edge in self._wiring.arriving[left.pop()]:
                    if edge.source in self._hidden:
                        left.append(edge.source)
                    else:
                        last[edge.source] = step
        for name, step in last.items():
            if name != self.output:
                step.spent.append(name)
