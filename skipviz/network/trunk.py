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


def path_to(wiring: Wiring) -> list[Joint]:
    """Return the edges of a graph's trunk, from an input to the output.

    Of two ways into a merge it takes the one through more layers, and of equals the earlier port; a gate, a product and an
    attention change their first state, so that is the trunk's.
    """
    layers: dict[str, int] = dict.fromkeys(wiring.inputs, 0)
    came: dict[str, Joint] = {}
    for node in wiring.order:
        arriving = wiring.arriving[node.id]
        if node.id in wiring.merges and not (MERGES[node.op.kind].sums or MERGES[node.op.kind].joins):
            arriving = arriving[:1]
        came[node.id] = chosen = max(arriving, key=lambda edge: (layers[edge.source], -edge.port))
        layers[node.id] = layers[chosen.source] + (node.id not in wiring.merges)
    path, at = [], wiring.output
    while at in came:
        path.append(came[at])
        at = came[at].source
    return path[::-1]
