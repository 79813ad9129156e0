"""A chain with skips as a graph's parts, which a program runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .base import Shape, channels, with_channels
from .branch import INPUT, arriving_at, ready_at
from .edge import Edge
from .layer import Layer
from .merge import MERGES
from .node import Join, Node
from .remembered import remembered
from .shapes import UNCHANGED, NodeShape, SkipShape
from .skip import Adapter, Skip
from .trunk import Trunk
from .wiring import AS_IT_IS, PartShapes, Wiring

if TYPE_CHECKING:
    from .network import Network

X = ":x"
"""Name of h_0 in a wiring; no part has such an id."""
Landing = list[tuple[Skip, SkipShape]]


@dataclass(slots=True)
class Joint:
    """An edge of a chain."""

    id: str
    source: str
    target: str
    port: int = 0
    on: bool = True
    strength: float = 1.0
    gain: float = 1.0
    adapter: Adapter = AS_IT_IS
    in_force: bool = True
    learned: bool = False
    softmax: bool = False


@dataclass(slots=True)
class Merge:
    """Where skips land."""

    id: str
    op: Join
    on: bool = True


def wiring_of(network: Network) -> Wiring:
    """Return a chain's parts: a merge of its own wherever skips land, named after the layer before it.

    Layers and skips keep their ids, so they draw the same initial weights. The chain was checked, so nothing is again.
    """
    chain = _Chain(network)
    inputs = {X: tuple(network.input), **network.further}
    states = inputs | {node.id: chain.shapes[node.id].output for node in chain.nodes}
    return Wiring(
        inputs,
        tuple(chain.nodes),
        tuple(chain.edges),
        chain.reads,
        PartShapes(states, chain.shapes, chain.carried),
        Trunk(tuple(chain.states), tuple(chain.ways[: network.depth]), tuple(skip.id for skip in network.skips)),
    )


wired = remembered(wiring_of)
"""The same in a worker, whose plans, marks and optimizers ask again for the networks that it holds."""


class _Chain:
    """A chain's nodes and edges while they are collected."""

    def __init__(self, network: Network) -> None:
        self.nodes: list[Layer | Merge | Node] = []
        self.edges: list[Joint] = []
        shapes = network.shapes
        self.shapes = {node.id: shape for node, shape in zip(network.branches, shapes.branches, strict=True)}
        self.carried = {edge.id: shape for edge, shape in zip(network.edges, shapes.edges, strict=True)}
        self.reads, self.states, self.ways = X, [X], []
        landing: dict[int, Landing] = {}
        for skip, shape in zip(network.skips, shapes.skips, strict=True):
            landing.setdefault(skip.target, []).append((skip, shape))
        self._names = {INPUT: X}
        """By the name that an edge has for a state, that of the part which gives it."""
        self._arriving, ready = arriving_at(network), ready_at(network)
        self._branches(ready.get(0, ()))
        for k, (layer, shape) in enumerate(zip(network.layers, shapes.layers, strict=True), start=1):
            self._layer(layer, shape, landing.get(k, ()), ready.get(k, ()))

    def _layer(self, layer: Layer, shape: NodeShape, skips: Landing, branches: Iterable[Node]) -> None:
        way = f"{layer.id}:in"
        if len(self.ways) < len(self.states):
            self.ways.append(way)
        self._trunk(way, self.reads, layer.id, 0, shape.input)
        self.nodes.append(layer)
        self.shapes[layer.id] = shape
        state, by_merge = layer.id, {}
        for skip in sorted(skips, key=_turn):
            by_merge.setdefault(skip[0].merge, []).append(skip)
        for merge, landing in by_merge.items():
            if not MERGES[merge].joins:
                state = self._merge(f"{layer.id}:{merge}", merge, state, shape.output, landing)
        self.states.append(state)
        self._names[layer.id] = state
        self._branches(branches)
        for merge, landing in by_merge.items():
            if MERGES[merge].joins:
                self.ways.append(f"{layer.id}:{merge}:0")
                state = self._merge(f"{layer.id}:{merge}", merge, state, shape.output, landing)
        self.reads = state

    def _merge(self, name: str, merge: str, first: str, shape: Shape, skips: Landing) -> str:
        skips = sorted(skips, key=lambda one: not one[0].before)
        ahead = sum(skip.before for skip, _ in skips)
        self._trunk(f"{name}:0", first, name, ahead, shape)
        for port, (skip, carried) in enumerate(skips):
            self._edge(skip, skip.via or self.states[skip.source], name, port + (port >= ahead))
            self.carried[skip.id] = carried
        self.nodes.append(Merge(name, JOINS[merge]))
        inputs = [carried.carried for _, carried in skips]
        inputs.insert(ahead, shape)
        output = with_channels(shape, sum(map(channels, inputs))) if MERGES[merge].joins else shape
        self.shapes[name] = NodeShape(tuple(inputs), output, 0)
        return name

    def _branches(self, ready: Iterable[Node]) -> None:
        """Add nodes of branches, which read what is there."""
        for node in ready:
            for edge in self._arriving[node.id]:
                self._edge(edge, self._names.get(edge.source, edge.source), node.id, edge.port)
            self.nodes.append(node)

    def _trunk(self, name: str, source: str, target: str, port: int, shape: Shape) -> None:
        """Add an edge that carries a state of `shape` as it is."""
        self.edges.append(Joint(name, source, target, port))
        self.carried[name] = SkipShape(UNCHANGED, shape, 0)

    def _edge(self, part: Skip | Edge, source: str, target: str, port: int) -> None:
        live = part.on, part.strength, part.gain, part.adapter, part.in_force, part.learned, part.softmax
        self.edges.append(Joint(part.id, source, target, port, *live))


def _turn(landing: tuple[Skip, SkipShape]) -> bool:
    """Return what sorts skips by when they act on the state where they land."""
    return not MERGES[landing[0].merge].first


JOINS = {merge: Join(kind=merge) for merge in MERGES}
