"""What carries a state to where it merges: a skip, or an edge of a branch as one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from .base import Shape
from .branch import arriving_at, places_of
from .merge import MERGES
from .shapes import SkipShape
from .skip import Skip

if TYPE_CHECKING:
    from .network import Network


@dataclass(frozen=True)
class Way:
    """It carries what `skip` and its `shape` make of a state of the shape `carries` to one of the shape `target`."""

    skip: Skip
    shape: SkipShape
    source: int | str
    """The number of a state of the trunk, or the id of a branch's node or of a further input."""
    carries: Shape
    target: Shape
    beside: bool = False
    """Whether it is an edge of a branch."""

    @property
    def projects(self) -> bool:
        return self.shape.adapter.channels == "project"

    @property
    def gates(self) -> bool:
        return MERGES[self.skip.merge].maps

    @property
    def learns(self) -> str:
        """The name of the module that it learns of both states, or nothing."""
        return MERGES[self.skip.merge].learns

    @property
    def modules(self) -> list[str]:
        """What it has that learns, in the order of its parameters: `strength`, `project`, `gate`, and that of both."""
        has = {"strength": self.skip.learned, "project": self.projects, "gate": self.gates, self.learns: self.learns}
        return [name for name, there in has.items() if there]


def ways(network: Network) -> Iterator[Way]:
    """Yield every way of a network: its skips', then those of its branches' edges."""
    yield from ways_of_skips(network)
    yield from chain.from_iterable(ways_of_edges(network).values())


def ways_of_skips(network: Network) -> list[Way]:
    """Return a way for each skip, in the network's order."""
    states = network.shapes.states
    return [
        Way(skip, shape, skip.via or skip.source, network.carries(skip), states[skip.target])
        for skip, shape in zip(network.skips, network.shapes.skips, strict=True)
    ]


def ways_of_edges(network: Network) -> dict[str, list[Way]]:
    """Return, by the node of a branch, what leads into it, in the order of its ports."""
    further = {name: name for name in network.further}
    places, shapes = places_of(network) | further, dict(zip((edge.id for edge in network.edges), network.shapes.edges, strict=True))
    read, arriving, found = network.shapes.read, arriving_at(network), {}
    for node in network.branches:
        first, *others = arriving[node.id]
        skips = [first.joining(node, first=True), *(edge.joining(node, first=False) for edge in others)]
        found[node.id] = [
            Way(skip, shapes[edge.id], places.get(edge.source, edge.source), read[edge.source], read[first.source], beside=True)
            for skip, edge in zip(skips, (first, *others), strict=True)
        ]
    return found
