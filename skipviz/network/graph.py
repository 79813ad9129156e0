"""A network as a directed acyclic graph: inputs, nodes, edges and an output; shapes are inferred without torch."""

from __future__ import annotations

from pydantic import Field, PrivateAttr, model_validator

from .base import Frozen, Identifier, NetworkError, Shape, written
from .branch import branch_shape
from .edge import Edge
from .network import MAX_LAYERS, MAX_PARAMETERS, MAX_SKIPS, Head
from .node import Node
from .shapes import NodeShape, SkipShape
from .trunk import trunk_of
from .wiring import PartShapes, Wiring, ordered


class Graph(Frozen):
    """Nodes and the edges between them. Building one checks it: an impossible one raises with a sentence."""

    inputs: dict[Identifier, tuple[int, ...]] = Field(min_length=1, max_length=8, description="shapes of one sample, no batch")
    nodes: tuple[Node, ...] = Field(min_length=1, max_length=MAX_LAYERS + MAX_SKIPS)
    edges: tuple[Edge, ...] = Field(max_length=MAX_LAYERS + 2 * MAX_SKIPS)
    output: str = Field(max_length=32, description="id of the node that the head reads")
    head: Head = Field(Head(), description="what gives the outputs")
    tied: str = Field("", max_length=32, description="id of the embedding or layer whose weight the head uses; '': its own")

    _wiring: Wiring = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def _name_edges(cls, values):
        if isinstance(values, dict) and isinstance(values.get("edges"), list | tuple):
            edges = [Edge.model_validate(edge) for edge in values["edges"]]
            taken, number, named = {edge.id for edge in edges}, 0, []
            for edge in edges:
                if not edge.id:
                    while f"e{(number := number + 1)}" in taken:
                        pass
                    edge = edge.model_copy(update={"id": f"e{number}"})
                named.append(edge)
            values = {**values, "edges": tuple(named)}
        return values

    @model_validator(mode="after")
    def _check(self):
        names = [*self.inputs, *(node.id for node in self.nodes)]
        if not all(names):
            raise NetworkError("every node of a graph has an id")
        for what, ids in (("part", names), ("edge", [edge.id for edge in self.edges])):
            if len(set(ids)) != len(ids):
                raise NetworkError(f"two {what}s have the id {next(one for one in ids if ids.count(one) > 1)}")
        known = set(names)
        for edge in self.edges:
            if edge.source not in known or edge.target not in known:
                missing = edge.source if edge.source not in known else edge.target
                raise NetworkError(f"edge {edge.id}: there is no node {missing}")
            if edge.target in self.inputs:
                raise NetworkError(f"edge {edge.id}: nothing leads into an input, and {edge.target} is one")
        if self.output not in known or self.output in self.inputs:
            raise NetworkError(f"the output is a node, and there is none of the id {self.output}")
        _check_ports(self)
        self._wiring = _wired(self)
        if self.shapes.parameters > MAX_PARAMETERS:
            raise NetworkError(f"{self.shapes.parameters:,} parameters are over the limit of {MAX_PARAMETERS:,}")
        return self

    @property
    def wiring(self) -> Wiring:
        """The parts joined, with every shape."""
        return self._wiring

    @property
    def shapes(self) -> PartShapes:
        """Every shape and parameter count, inferred without torch."""
        return self._wiring.shapes

    def parameter_count(self) -> int:
        """Return the number of parameters; what is shared counts once."""
        return self.shapes.parameters

    def node(self, identifier: str) -> Node:
        """Return the node with this id; raises `NetworkError`."""
        for node in self.nodes:
            if node.id == identifier:
                return node
        raise NetworkError(f"there is no node {identifier}")


def _wired(graph: Graph) -> Wiring:
    given = Wiring(graph.inputs, graph.nodes, graph.edges, graph.output)
    order = ordered(graph.inputs, given)
    if isinstance(order, str):
        raise NetworkError(f"{order} reads what it leads to: a graph has no cycle")
    wiring = Wiring(graph.inputs, order, graph.edges, graph.output)
    wiring.shapes = infer(graph, wiring)
    wiring.trunk = trunk_of(wiring)
    return wiring


def _check_ports(graph: Graph) -> None:
    count: dict[str, int] = {}
    for edge in graph.edges:
        count[edge.target] = count.get(edge.target, 0) + 1
    for node in graph.nodes:
        if not count.get(node.id):
            raise NetworkError(f"nothing leads into {node.id}")
        if not node.is_merge and count[node.id] > 1:
            raise NetworkError(f"{count[node.id]} edges lead into {node.id}, which reads one state: merge them first")


def infer(graph: Graph, wiring: Wiring) -> PartShapes:
    """Return every state's shape and every part's parameters; raises `NetworkError` naming the part."""
    states: dict[str, Shape] = {name: tuple(shape) for name, shape in graph.inputs.items()}
    nodes: dict[str, NodeShape] = {}
    edges: dict[str, SkipShape] = {}
    for node in wiring.order:
        nodes[node.id] = shape = branch_shape(node, wiring.arriving[node.id], states, edges)
        states[node.id] = shape.output
    for node in graph.nodes:
        if node.shares:
            _check_shared(graph, node, nodes)
    read = states[graph.output]
    try:
        output, parameters = graph.head.output_shape(read), graph.head.parameter_count(read)
        if graph.tied:
            parameters -= _tied_count(graph, read)
    except NetworkError as error:
        raise NetworkError(f"head: {error}") from None
    return PartShapes(states, nodes, edges, output, parameters)


def _check_shared(graph: Graph, node: Node, shapes: dict[str, NodeShape]) -> None:
    owner = graph.node(node.shares)
    if owner.shares:
        raise NetworkError(f"{node.id} shares the weights of {owner.id}, which has none of its own: name {owner.shares}")
    mine, theirs = shapes[node.id], shapes[owner.id]
    alike = ("op", "norm", "init", "init_factor", "scale", "scale_learned", "scale_per", "zero_gamma")
    if mine.input != theirs.input or any(getattr(node, name) != getattr(owner, name) for name in alike):
        raise NetworkError(f"{node.id} shares the weights of {owner.id}, so it needs the same operation, norm and input")


def _tied_count(graph: Graph, read: Shape) -> int:
    owner = graph.node(graph.tied)
    width = getattr(owner.op, "width", None)
    rows = getattr(owner.op, "vocabulary", None) or graph.head.outputs
    if graph.head.kind == "state" or (rows, width) != (graph.head.outputs, read[-1]) or owner.op.kind != "embedding":
        raise NetworkError(f"it can use the weight of an embedding of {graph.head.outputs} × {written(read[-1:])} only")
    return rows * width
