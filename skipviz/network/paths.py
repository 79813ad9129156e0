"""Paths from input to output, counted by the layers they traverse (Veit et al. 2016), and what lies on none."""

from __future__ import annotations

from .network import Network
from .rest import passes_on

Counts = dict[int, int]


def path_counts(network: Network) -> list[int]:
    """Return how many paths traverse 0, 1, …, n layers, under the network's present switches and strengths.

    A skip offers one path past the layers between; it lands on its target state, a concat joins only what the next layer
    (or the head) reads. The result has `depth + 1` entries.
    """
    states: list[Counts] = [{0: 1}]
    for k, layer in enumerate(network.layers, start=1):
        read = _read(network, states)
        if layer.on:
            state = {length + 1: count for length, count in read.items()}
        else:
            state = read if passes_on(network, k) else {}
        for skip in network.skips:
            if skip.in_force and skip.target == k and not skip.joins:
                state = _sum(state, states[skip.source])
        states.append(state)
    found = _read(network, states)
    return [found.get(length, 0) for length in range(network.depth + 1)]


def in_use(network: Network) -> tuple[list[bool], list[bool]]:
    """Return for each layer and for each skip whether the outputs depend on what it computes, under the present switches.

    The others have no gradient: what is off, and what only leads to zeros that stand in for a layer that is off.
    """
    depth, landing = network.depth, {}
    for index, skip in enumerate(network.skips):
        if skip.in_force:
            landing.setdefault((skip.target, skip.joins), []).append(index)
    needed, layers, skips = [False] * depth + [True], [False] * depth, [False] * len(network.skips)

    def land(k: int, joined: bool) -> None:
        for index in landing.get((k, joined), ()):
            skips[index] = needed[network.skips[index].source] = True

    land(depth, joined=True)
    for k in range(depth, 0, -1):
        if not needed[k]:
            continue
        layers[k - 1] = network.layers[k - 1].on
        land(k, joined=False)
        if layers[k - 1] or passes_on(network, k):
            needed[k - 1] = True
            land(k - 1, joined=True)
    return layers, skips


def _read(network: Network, states: list[Counts]) -> Counts:
    """Return the paths into what reads the last of `states`: the state and the concats that land there."""
    found = states[-1]
    for skip in network.skips:
        if skip.in_force and skip.target == len(states) - 1 and skip.joins:
            found = _sum(found, states[skip.source])
    return found


def _sum(a: Counts, b: Counts) -> Counts:
    return {length: a.get(length, 0) + b.get(length, 0) for length in a.keys() | b.keys()}
