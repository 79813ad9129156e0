"""A network's parts joined: which edges lead where, in what order nodes are computed, what shapes they have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import and_, or_
from typing import Protocol

from .base import Shape
from .layer import Layer
from .merge import MERGES
from .rest import StandIn
from .shapes import NodeShape, SkipShape
from .skip import Adapter
from .trunk import Trunk


class Joint(Protocol):
    """What a wiring needs to know of an edge."""

    id: str
    source: str
    target: str
    port: int
    on: bool
    strength: float
    gain: float
    adapter: Adapter
    in_force: bool


@dataclass(frozen=True)
class PartShapes:
    """Inference's result: `states` by input and node, `nodes` and `edges` by id."""

    states: Mapping[str, Shape]
    nodes: Mapping[str, NodeShape]
    edges: Mapping[str, SkipShape]
    output: Shape
    head_parameters: int

    @property
    def parameters(self) -> int:
        parts = (*self.nodes.values(), *self.edges.values())
        return sum(part.parameters for part in parts) + self.head_parameters


@dataclass(slots=True)
class Wiring:
    """What a program runs: a graph's parts, or a chain's."""

    inputs: Mapping[str, Shape]
    order: tuple[Layer, ...]
    """Layers and merges, each behind all that it reads."""
    edges: tuple[Joint, ...]
    output: str
    shapes: PartShapes | None = None
    trunk: Trunk | None = None
    nodes: dict[str, Layer] = field(init=False)
    arriving: dict[str, list[Joint]] = field(init=False)
    """By node, the edges into it in the order of its ports."""
    leaving: dict[str, list[Joint]] = field(init=False)
    """By input or node, the edges out of it."""
    merges: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.nodes = {node.id: node for node in self.order}
        self.merges = {node.id for node in self.order if node.op.kind in MERGES}
        self.leaving = {name: [] for name in (*self.inputs, *self.nodes)}
        self.arriving = {name: [] for name in self.nodes}
        for edge in self.edges:
            self.arriving[edge.target].append(edge)
            self.leaving[edge.source].append(edge)
        for name in self.merges:
            self.arriving[name].sort(key=lambda edge: edge.port)

    def takes_tokens(self, name: str) -> bool:
        """Return whether an input is a sequence of tokens, whole numbers that have no gradient."""
        return any(getattr(self.nodes[edge.target].op, "reads_tokens", False) for edge in self.leaving[name])

    def owner(self, node: Layer) -> str:
        """Return the id of the node whose weights a node uses."""
        return getattr(node, "shares", "") or node.id

    def resting(self) -> dict[str, StandIn]:
        """Return what takes the place of each node that is off: zeros in a residual branch, else the identity where it fits."""
        off = [node.id for node in self.order if not node.on]
        if not off:
            return {}
        branches = self._residual_branches()
        fits = {name: self.shapes.nodes[name].input == self.shapes.nodes[name].output for name in off}
        return {name: "identity" if fits[name] and name not in branches else "zeros" for name in off}

    def _residual_branches(self) -> set[str]:
        """Return the nodes that an add or gate in force can be reached without."""
        place = {name: k for k, name in enumerate(self.leaving)}
        above: dict[str, int] = {name: 1 << place[name] for name in self.inputs}
        branches = 0
        for node in self.order:
            ways = [above[edge.source] for edge in self.arriving[node.id] if edge.in_force]
            every, shared = reduce(or_, ways, 0), reduce(and_, ways) if ways else 0
            if node.id in self.merges and MERGES[node.op.kind].residual:
                branches |= every & ~shared
            above[node.id] = every | 1 << place[node.id]
        return {name for name, k in place.items() if branches >> k & 1}


def ordered(inputs: Iterable[str], wiring: Wiring) -> tuple[Layer, ...] | str:
    """Return the nodes in a topological order that keeps the given one where it can; of a cycle, the id of a node on it."""
    ready, waiting, order = set(inputs), list(wiring.order), []
    while waiting:
        left = []
        for node in waiting:
            if all(edge.source in ready for edge in wiring.arriving[node.id]):
                ready.add(node.id)
                order.append(node)
            else:
                left.append(node)
        if len(left) == len(waiting):
            return left[0].id
        waiting = left
    return tuple(order)
