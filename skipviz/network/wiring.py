"""A network's parts joined: which edges lead where, in what order nodes are computed, what shapes they have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Protocol

from .base import Shape, channels
from .layer import Layer
from .merge import MERGES
from .shapes import NodeShape, SkipShape
from .skip import Adapter
from .trunk import Trunk

AS_IT_IS = Adapter()
"""Of an edge that brings its source unchanged, or as its shapes ask."""


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
    learned: bool
    softmax: bool


@dataclass(frozen=True)
class PartShapes:
    """What inference knows of parts: `states` by input and node, `nodes` and `edges` by id."""

    states: Mapping[str, Shape]
    nodes: Mapping[str, NodeShape]
    edges: Mapping[str, SkipShape]


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

    def joins(self, name: str) -> bool:
        """Return whether a node is a merge that lays states beside each other."""
        return name in self.merges and MERGES[self.nodes[name].op.kind].joins

    def takes_tokens(self, name: str) -> bool:
        """Return whether an input is a sequence of tokens, whole numbers that have no gradient."""
        return any(getattr(self.nodes[edge.target].op, "reads_tokens", False) for edge in self.leaving[name])

    def owner(self, node: Layer) -> str:
        """Return the id of the node whose weights a node uses."""
        return getattr(node, "shares", "") or node.id

    def ends_branch(self, name: str) -> bool:
        """Return whether a sum takes a layer's output beside another state, so that drop-path acts there."""
        leaving = self.leaving[name]
        while len(leaving) == 1 and leaving[0].target in self.merges and not self.joins(leaving[0].target):
            edge = leaving[0]
            if MERGES[self.nodes[edge.target].op.kind].sums:
                return any(other.in_force for other in self.arriving[edge.target] if other is not edge)
            leaving = self.leaving[edge.target]
        return False

    def zeroed(self, name: str) -> tuple[tuple[int, int], ...]:
        """Return the channels, from and to, of what a layer reads that are zeros for edges of a concat which are off."""
        source, first, found = self.arriving[name][0].source, 0, []
        for edge in self.arriving[source] if self.joins(source) else ():
            last = first + channels(self.shapes.edges[edge.id].carried)
            if not edge.in_force:
                found.append((first, last))
            first = last
        return tuple(found)


def is_plain(edge: Joint) -> bool:
    """Return whether an edge brings its source as it is."""
    return (edge.on, edge.strength, edge.gain, edge.learned) == (True, 1, 1, False) and edge.adapter == AS_IT_IS


def ordered(inputs: Iterable[str], wiring: Wiring) -> tuple[Layer, ...] | str:
    """Return the nodes in the topological order nearest the given one; of a cycle, the id of a node behind or on it."""
    places = {node.id: place for place, node in enumerate(wiring.order)}
    waits = {name: len(edges) for name, edges in wiring.arriving.items()}
    ready, order, done = [], [], [*inputs]
    while done or ready:
        if not done:
            order.append(wiring.order[heappop(ready)])
            done = [order[-1].id]
        for edge in wiring.leaving[done.pop()]:
            waits[edge.target] -= 1
            if not waits[edge.target]:
                heappush(ready, places[edge.target])
    return tuple(order) if len(order) == len(places) else next(name for name, count in waits.items() if count)
