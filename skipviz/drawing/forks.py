"""The forks of a diagram: states from which skips leave, where their gradients are compared."""

from __future__ import annotations

from ..network.branch import INPUT
from .geometry import Geometry


def forks(g: Geometry) -> list[dict]:
    """Return each fork's states, its height in px, the skips and branches that leave there and the layers that the trunk feeds."""
    found, network = [], g.plan.network
    names = [INPUT, *(layer.id for layer in network.layers)]
    into_branches: dict[str, list[int]] = {}
    for index, edge in enumerate(network.edges):
        into_branches.setdefault(edge.source, []).append(index)
    for gap, states in enumerate(g.plan.gaps):
        links = [g.plan.links[index] for index in g.plan.leaving.get(gap, ())]
        if not links:
            continue
        taps = g.gap_taps(gap)
        y = sum(taps) / len(taps) if taps else sum(g.gaps[gap]) / 2
        skips = [index for link in links for index in link.skips if not network.skips[index].via]
        edges = [edge for state in states for edge in into_branches.get(names[state], ())]
        fork = {"state": list(states), "y": round(y, 3), "skips": skips, "trunk": list(g.plan.feeds(gap))}
        found.append(fork | ({"edges": edges} if edges else {}))
    return found
