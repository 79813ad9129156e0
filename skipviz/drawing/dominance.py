"""Whether a trunk dominates its graph, or paths beside it hold so much of the network that all are drawn by ranks."""

from __future__ import annotations

from collections import defaultdict

from ..network.branch import arriving_at, places_of
from ..network.network import Network

LEAST_LAYERS, LEAST_PART = 2, 1 / 3
"""Layers with weights of a path, and as a part of those of the trunk that it goes round, from which it is another way: a
shortcut's projection, a gate's convolution and squeeze-and-excitation, which goes round nothing, are ornaments of the trunk."""
LEAST_SHARE = 0.18
"""Of all layers with weights, what other ways hold from which the trunk no longer dominates. Encoder and decoder have 0.43, a
U-Net++ of depth 3 and Inception's arms about 0.35, one of depth 2 at least 0.19; an Attention U-Net, whose innermost gate alone
is one, has at most 0.17."""


def dominates(network: Network) -> bool:
    """Return whether a network's trunk dominates it."""
    return not network.branches or share_beside(network) < LEAST_SHARE


def share_beside(network: Network) -> float:
    """Return which share of a network's layers with weights stands on other ways than its trunk, 0…1."""
    weighted = {node.id: shape.parameters > 0 for node, shape in zip(network.branches, network.shapes.branches, strict=True)}
    trunk = [shape.parameters > 0 for shape in network.shapes.layers]
    ways: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for names, deepest, start, end in _branches(network, weighted):
        ways[start, end].append((sum(weighted[name] for name in names), deepest))
    held = 0
    for (start, end), those in ways.items():
        # Arms that leave and join together count together: each of Inception's is short.
        deep, round_it = sum(deepest for _, deepest in those), sum(trunk[start:end])
        if round_it and deep >= max(LEAST_LAYERS, LEAST_PART * round_it):
            held += sum(count for count, _ in those)
    return held / max(1, sum(trunk) + sum(weighted.values()))


def _branches(network: Network, weighted: dict[str, bool]) -> list[tuple[list[str], int, int, int]]:
    """Return of each branch its nodes, the most layers with weights on a way through it, and its first and last state."""
    arriving, states = arriving_at(network), places_of(network)
    home: dict[str, list[str]] = {}
    depth: dict[str, int] = {}
    for node in network.branches:
        sources = [edge.source for edge in arriving[node.id] if edge.source in home]
        depth[node.id] = weighted[node.id] + max((depth[source] for source in sources), default=0)
        whole = home[sources[0]] if sources else []
        for other in {id(home[source]): home[source] for source in sources}.values():
            if other is not whole:
                whole += other
                home.update(dict.fromkeys(other, whole))
        whole.append(node.id)
        home[node.id] = whole
    joined: dict[int, int] = {}
    for skip in network.skips:
        if skip.via:
            joined[id(home[skip.via])] = max(skip.target, joined.get(id(home[skip.via]), 0))
    found = []
    for names in {id(names): names for names in home.values()}.values():
        start = min(states[edge.source] for name in names for edge in arriving[name] if edge.source in states)
        found.append((names, max(depth[name] for name in names), start, joined.get(id(names), start)))
    return found
