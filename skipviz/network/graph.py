"""A graph's nodes and edges as a network: the trunk that is found in them, the skips over it, the branches beside it."""

from __future__ import annotations

from collections import Counter

from .base import NetworkError
from .branch import INPUT
from .edge import Edge
from .layer import Layer
from .merge import MERGES
from .node import Node, check_ports
from .operation import CLASSES
from .skip import Skip
from .trunk import path_to
from .wiring import AS_IT_IS, Wiring, is_plain, ordered

GRAPH = ("inputs", "nodes", "edges", "output")
"""What `Network` takes in place of input, layers and skips."""


def parts_of(inputs: dict, nodes: list[Node], edges: list[Edge], output: str) -> dict:
    """Return a network's input, layers, skips, branches and their edges; raises `NetworkError` for what is no graph.

    A merge lands on the layer before it where nothing else reads that one; else it is a box of its own, which passes on
    what it reads. What joins a state adapts to the trunk's.
    """
    _check(inputs, nodes, edges, output)
    given = Wiring(inputs, tuple(nodes), tuple(edges), output)
    order = ordered(inputs, given)
    if isinstance(order, str):
        raise NetworkError(f"{order} reads what it leads to: a graph has no cycle")
    return _Folding(Wiring(inputs, order, tuple(edges), output)).parts()


def named(edges: list) -> list[Edge]:
    """Return edges, each with an id."""
    edges = [Edge.model_validate(edge) for edge in edges]
    taken, number, found = {edge.id for edge in edges}, 0, []
    for edge in edges:
        while not edge.id:
            number += 1
            edge = edge if f"e{number}" in taken else edge.model_copy(update={"id": f"e{number}"})
        found.append(edge)
    return found


def _check(inputs: dict, nodes: list[Node], edges: list[Edge], output: str) -> None:
    names = [*inputs, *(node.id for node in nodes)]
    if not inputs or not all(names):
        raise NetworkError("a graph has an input, and every node of it an id")
    for what, ids in (("part", names), ("edge", [edge.id for edge in edges])):
        if len(set(ids)) != len(ids):
            raise NetworkError(f"two {what}s have the id {next(one for one in ids if ids.count(one) > 1)}")
    known = set(names)
    for edge in edges:
        if edge.source not in known or edge.target not in known:
            missing = edge.source if edge.source not in known else edge.target
            raise NetworkError(f"edge {edge.id}: there is no node {missing}")
        if edge.target in inputs:
            raise NetworkError(f"edge {edge.id}: nothing leads into an input, and {edge.target} is one")
    if output not in known or output in inputs:
        raise NetworkError(f"the output is a node, and there is none of the id {output}")
    count = Counter(edge.target for edge in edges)
    for node in nodes:
        check_ports(node, count[node.id])


class _Folding:
    """A graph's parts while they are told apart."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring, self.path = wiring, path_to(wiring)
        self.layers: list[Layer] = []
        self.landing: list[tuple[Edge, int, str, bool]] = []
        """What joins the trunk: an edge, the number of the state, how, and whether it stands before that."""
        first = self.path[0].source
        self.places: dict[str, int] = {first: 0}
        """By input or node of the trunk, the number of its state."""
        self.kinds: list[str] = []
        """How skips land on the last state up to now."""

    def parts(self) -> dict:
        first, wiring = self.path[0].source, self.wiring
        for edge in self.path:
            node = wiring.nodes[edge.target]
            if node.is_merge:
                self._merge(node, edge)
            else:
                if not is_plain(edge):
                    self._box(f"{edge.id}.x", edge)
                self._add(Layer(**{name: getattr(node, name) for name in Layer.model_fields}))
                self.places[node.id] = len(self.layers)
        beside = [node for node in wiring.order if node.id not in self.places]
        further = {name: shape for name, shape in wiring.inputs.items() if name != first}
        names = {name: self._layer_id(place) for name, place in self.places.items()}
        into = {node.id for node in beside}
        edges = [
            edge.model_copy(update={"source": names.get(edge.source, edge.source)}) for edge in wiring.edges if edge.target in into
        ]
        known = {**self.places, **dict.fromkeys(further, 0)}
        for node in beside:
            known[node.id] = max(known[edge.source] for edge in wiring.arriving[node.id])
        skips = [self._skip(known, *landing) for landing in self.landing]
        found = {"input": wiring.inputs[first], "further": further, "layers": self.layers}
        return {**found, "skips": skips, "branches": beside, "edges": edges}

    def _layer_id(self, place: int) -> str:
        return self.layers[place - 1].id if place else INPUT

    def _add(self, layer: Layer) -> None:
        self.layers.append(layer)
        self.kinds = []

    def _box(self, name: str, edge: Edge) -> None:
        """Add a box that passes on what the edge brings."""
        if edge.learned:
            raise NetworkError(
                f"edge {edge.id} is on the trunk: a strength is learned by what joins it, here give the node a scale"
            )
        if edge.adapter != AS_IT_IS:
            raise NetworkError(f"edge {edge.id} is on the trunk, to which others adapt: give them the adapter, or make it a node")
        scale = {} if edge.strength == 1 else {"scale": edge.strength}
        self._add(Layer(id=name, op=CLASSES["Identity"](), on=edge.on, gain=edge.gain, **scale))

    def _merge(self, node: Node, edge: Edge) -> None:
        kind, wiring = MERGES[node.op.kind], self.wiring
        arriving = wiring.arriving[node.id]
        place = arriving.index(edge)
        if place and not kind.sums and not kind.joins:
            raise NetworkError(f"{node.id}: a {kind.name} changes its first state, so that is the trunk's")
        beside = kind.recorded_only and not any(self._comes_of_last(other.source) for other in arriving if other is not edge)
        alone = kind.joins or beside or (len(wiring.leaving[edge.source]) == 1 and edge.source != wiring.output)
        if not (self.layers and alone and is_plain(edge) and self._lands(kind)):
            self._box(node.id, edge)
        self.kinds.append(kind.name)
        for port, other in enumerate(arriving):
            if other is not edge:
                self.landing.append((other, len(self.layers), node, port < place))
        reader = wiring.leaving[node.id]
        read_once = (not reader or node.id == wiring.output) if len(reader) != 1 else is_plain(reader[0])
        if kind.joins and not (read_once and not (reader and wiring.nodes[reader[0].target].is_merge)):
            self._box(f"{node.id}.x", Edge(id=f"{node.id}.x", source="", target=""))
        self.places[node.id] = len(self.layers)

    def _comes_of_last(self, name: str) -> bool:
        """Return whether an input or node is the last state, or made of it."""
        left, met = [name], set()
        while left:
            at = left.pop()
            if self.places.get(at) == len(self.layers):
                return True
            if at not in met and at not in self.places:
                met.add(at)
                left += [edge.source for edge in self.wiring.arriving.get(at, ())]
        return False

    def _lands(self, kind) -> bool:
        """Return whether a merge may land on the last state, after what lands there already."""
        there = [MERGES[name] for name in self.kinds]
        if any(one.joins for one in there):
            return False
        if kind.joins or kind.recorded_only or not there:
            return True
        return all(one.first for one in there) if kind.first else not (kind.alone or any(one.alone for one in there))

    def _skip(self, known: dict[str, int], edge: Edge, target: int, node: Node, before: bool) -> Skip:
        on_trunk = edge.source in self.places
        source = self.places[edge.source] if on_trunk else min(known[edge.source], target - 1)
        live = {name: getattr(edge, name) for name in ("on", "strength", "gain", "adapter", "learned", "rate", "softmax")}
        via = "" if on_trunk else edge.source
        joins = {**node.op.of_skip(), "before": before and MERGES[node.op.kind].joins}
        return Skip(id=edge.id, source=source, target=target, via=via, **joins, **live)
