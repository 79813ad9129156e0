"""A graph as a torch module."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..network.base import NetworkError
from ..network.edge import Edge
from ..network.graph import Graph
from ..network.node import Node
from .build import Parts, built_head
from .dropout import Masks
from .layer import LayerModule
from .plan import Plan, Tape
from .skip import SkipModule


class GraphModule(nn.Module):
    """A graph in torch: a batch for each input, in their order → the head's outputs.

    Its parameters are those that `graph.parameter_count()` counts, named by ids: `nodes.f3.operation.weight`,
    `edges.s2.project.weight`, `head.weight`. What nodes share stands once.
    """

    def __init__(self, graph: Graph, seed: int = 0) -> None:
        super().__init__()
        shapes = graph.shapes
        self.graph, self.masks = graph, Masks(seed)
        own = [node for node in graph.nodes if not node.is_merge and not node.shares]
        self.nodes = Parts((node.id, LayerModule(node, shapes.nodes[node.id], seed, self.masks)) for node in own)
        joining = [
            (node, place, edge)
            for node in graph.nodes
            if node.is_merge
            for place, edge in enumerate(graph.wiring.arriving[node.id])
        ]
        self.edges = Parts((edge.id, _carrier(graph, *rest, edge, seed)) for *rest, edge in joining)
        self.reads, self.head = built_head(graph.head, shapes.states[graph.output], seed)
        if graph.tied:
            self.head.weight = self.nodes[graph.tied].operation.weight
        self._plan = Plan(self, graph.wiring, None)

    def layer_of(self, node: str) -> LayerModule:
        """Return the module of the node with this id."""
        return self.nodes[node]

    def carrier(self, edge: str) -> SkipModule:
        """Return the module of the edge with this id, which leads into a merge."""
        return self.edges[edge]

    def set_graph(self, graph: Graph) -> None:
        """Take the switches, strengths and gains of `graph`; raises `NetworkError` if its structure differs."""
        if _structure(graph) != _structure(self.graph):
            raise NetworkError("this change gives another network, so it needs a run of its own")
        self.graph, self._plan = graph, Plan(self, graph.wiring, None)

    def bound(self, graph: Graph, training: bool) -> Plan:
        """Return the forward pass under the switches of `graph` with the present parameters bound: for a training loop."""
        return Plan(self, graph.wiring, training)

    def forward(self, *inputs: Tensor, tape: Tape | None = None) -> Tensor:
        return self._plan.run(inputs, tape)

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_plan": None}

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        self._plan = Plan(self, self.graph.wiring, None)


def build_graph(graph: Graph, seed: int = 0) -> GraphModule:
    """Return `graph` as a torch module with float32 parameters on the CPU; weights go by the seed and the parts' ids."""
    with torch.no_grad():
        return GraphModule(graph, seed)


def _carrier(graph: Graph, node: Node, place: int, edge: Edge, seed: int) -> SkipModule:
    shapes, target = graph.shapes, graph.shapes.states[graph.wiring.arriving[node.id][0].source]
    skip = edge.joining(node.op, first=place == 0)
    return SkipModule(skip, shapes.edges[edge.id], shapes.states[edge.source], target, seed)


def _structure(graph: Graph) -> tuple:
    nodes = tuple(node.model_copy(update={"on": True, "gain": 1.0}) for node in graph.nodes)
    edges = tuple(edge.model_copy(update={"on": True, "gain": 1.0, "strength": 1.0}) for edge in graph.edges)
    return graph.inputs, nodes, edges, graph.output, graph.head, graph.tied
