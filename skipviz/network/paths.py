"""Paths from input to output, counted by the layers they traverse (Veit et al. 2016), and what lies on none."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from .chain import wired, wiring_of
from .network import Network
from .rest import stand_ins


class Used(NamedTuple):
    """Of each layer, skip, branch's node and branch's edge, in the network's order, whether it has a part in the outputs."""

    layers: list[bool]
    skips: list[bool]
    branches: list[bool]
    edges: list[bool]


def path_counts(network: Network) -> list[int]:
    """Return how many paths traverse 0, 1, …, n layers, under the network's present switches and strengths.

    A skip offers one path past the layers between; it lands on its target state, a concat joins only what the next layer
    (or the head) reads. The result has `depth + 1` entries, more where a branch holds more layers than what it passes.
    """
    wiring = wiring_of(network)
    resting = stand_ins(wiring)
    found: dict[str, Counter] = {name: Counter({0: 1}) for name in wiring.inputs}
    for node in wiring.order:
        read = Counter()
        if resting.get(node.id) != "zeros":
            for edge in wiring.arriving[node.id]:
                if edge.in_force:
                    read.update(found[edge.source])
        longer = node.on and node.id not in wiring.merges
        found[node.id] = Counter({length + 1: count for length, count in read.items()}) if longer else read
    counts = found[wiring.output]
    return [counts.get(length, 0) for length in range(max(network.depth, *counts, 0) + 1)]


def in_use(network: Network) -> Used:
    """Return for each part whether the outputs depend on what it computes, under the present switches.

    The others have no gradient: what is off, and what only leads to zeros that stand in for a layer that is off.
    """
    wiring = wired(network)
    resting, needed, edges = stand_ins(wiring), {wiring.output}, set()
    for node in reversed(wiring.order):
        if node.id in needed and resting.get(node.id) != "zeros":
            for edge in wiring.arriving[node.id]:
                if edge.in_force:
                    edges.add(edge.id)
                    needed.add(edge.source)
    nodes = {node.id for node in wiring.order if node.on and node.id in needed}
    layers, branches = network.layers, network.branches
    ids = [[part.id for part in parts] for parts in (layers, network.skips, branches, network.edges)]
    return Used(*([name in used for name in names] for names, used in zip(ids, (nodes, edges, nodes, edges), strict=True)))
