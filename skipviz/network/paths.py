"""Paths from input to output, counted by the layers they traverse (Veit et al. 2016)."""

from __future__ import annotations

from .edit import in_residual_branch
from .network import Network

Counts = dict[int, int]


def path_counts(network: Network) -> list[int]:
    """Return how many paths traverse 0, 1, …, n layers, under the network's present switches.

    A skip offers one path past the layers between; an add or gate joins its target state, a concat only what the next layer
    (or the head) reads. The result has `depth + 1` entries.
    """
    states: list[Counts] = [{0: 1}]
    for k, layer in enumerate(network.layers, start=1):
        read = _read(network, states)
        if layer.on:
            state = {length + 1: count for length, count in read.items()}
        else:
            state = {} if in_residual_branch(network, k) else read
        for skip in network.skips:
            if skip.on and skip.target == k and skip.merge != "concat":
                state = _sum(state, states[skip.source])
        states.append(state)
    found = _read(network, states)
    return [found.get(length, 0) for length in range(network.depth + 1)]


def _read(network: Network, states: list[Counts]) -> Counts:
    """Return the paths into what reads the last of `states`: the state and the concats that land there."""
    found = states[-1]
    for skip in network.skips:
        if skip.on and skip.target == len(states) - 1 and skip.merge == "concat":
            found = _sum(found, states[skip.source])
    return found


def _sum(a: Counts, b: Counts) -> Counts:
    return {length: a.get(length, 0) + b.get(length, 0) for length in a.keys() | b.keys()}
