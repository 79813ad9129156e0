"""The trunk of a graph: one path from an input to the output, along which its layers, states and skips are counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .merge import MERGES

if TYPE_CHECKING:
    from .wiring import Joint, Wiring


@dataclass(frozen=True)
class Trunk:
    """`states` are h_0…h_n by the id of an input or node, `ways` the edges by which f_1…f_n read h_0…h_{n-1}.

    `skips` are the edges beside the trunk with both ends on it, in their order in the graph.
    """

    states: tuple[str, ...]
    ways: tuple[str, ...]
    skips: tuple[str, ...]


def trunk_of(wiring: Wiring) -> Trunk:
    """Return the trunk of a graph: of two ways into a merge the one through more layers, and of equals the earlier port."""
    layers: dict[str, int] = dict.fromkeys(wiring.inputs, 0)
    came: dict[str, Joint] = {}
    for node in wiring.order:
        came[node.id] = chosen = max(wiring.arriving[node.id], key=lambda edge: (layers[edge.source], -edge.port))
        layers[node.id] = layers[chosen.source] + (node.id not in wiring.merges)
    path, at = [], wiring.output
    while at in came:
        path.append(came[at])
        at = came[at].source
    states, ways, state, way = [], [], at, None
    for edge in reversed(path):
        way = way or edge
        node = wiring.nodes[edge.target]
        if node.id not in wiring.merges:
            states.append(state)
            ways.append(way.id)
            state, way = node.id, None
        elif not MERGES[node.op.kind].joins:
            state, way = node.id, None
    on_it, along = {at, *(edge.target for edge in path)}, {edge.id for edge in path}
    skips = (edge.id for edge in wiring.edges if edge.id not in along and edge.source in on_it and edge.target in on_it)
    return Trunk((*states, state), tuple(ways), tuple(skips))
