"""What stands in for a layer that is off, on the trunk or beside it, and where nothing could."""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce
from itertools import accumulate
from operator import and_, or_
from typing import TYPE_CHECKING, Literal

from .base import NetworkError
from .chain import wiring_of
from .merge import MERGES
from .shapes import NodeShape
from .wiring import Wiring

if TYPE_CHECKING:
    from .network import Network

StandIn = Literal["zeros", "identity"]


def stand_ins(wiring: Wiring) -> dict[str, StandIn]:
    """Return what takes the place of each layer that is off: zeros in a residual branch, else the identity where it fits.

    One that is `unfit`, which only an earlier version wrote down, gives zeros.
    """
    off = [node.id for node in wiring.order if not node.on]
    under = residual_branches(wiring) if off else ()
    return {name: "identity" if name not in under and _keeps(wiring.shapes.nodes[name]) else "zeros" for name in off}


def unfit(network: Network) -> list[str]:
    """Return each layer that is off although nothing could take its place: no residual branch holds it and shapes differ."""
    if all(part.on for part in (*network.layers, *network.branches)):
        return []
    shapes = (*network.shapes.layers, *network.shapes.branches)
    parts = zip((*network.layers, *network.branches), shapes, strict=True)
    changing = [part.id for part, shape in parts if not (part.on or _keeps(shape))]
    if not changing:
        return []
    under = residual_branches(wiring_of(network)) if network.branches else _passed(network)
    return [name for name in changing if name not in under]


def check_rests(network: Network, known: Collection[str] = ()) -> None:
    """Raise `NetworkError` where a layer is off that cannot be, apart from those `known`."""
    for name in unfit(network):
        if name not in known:
            raise NetworkError(
                f"{network.place(name, name)} cannot be off: no residual skip in force passes it and it changes the shape, "
                "so nothing could take its place"
            )


def residual_branches(wiring: Wiring) -> set[str]:
    """Return the nodes that an add or gate in force can be reached without: while one of them is off, it contributes 0."""
    place = {name: k for k, name in enumerate(wiring.leaving)}
    above: dict[str, int] = {name: 1 << place[name] for name in wiring.inputs}
    branches = 0
    for node in wiring.order:
        ways = [above[edge.source] for edge in wiring.arriving[node.id] if edge.in_force]
        every, shared = reduce(or_, ways, 0), reduce(and_, ways) if ways else 0
        if node.id in wiring.merges and MERGES[node.op.kind].residual:
            branches |= every & ~shared
        above[node.id] = every | 1 << place[node.id]
    return {name for name, k in place.items() if branches >> k & 1}


def _passed(network: Network) -> set[str]:
    """Return `residual_branches` of a network without any beside its trunk: the layers that its skips pass. A live run of
    thousands of layers is switched by the hundred, and its wiring takes as long to find as ten such switches."""
    starts = [0] * (network.depth + 1)
    for skip in network.skips:
        if skip.in_force and MERGES[skip.merge].residual:
            starts[skip.source] += 1
            starts[skip.target] -= 1
    return {layer.id for layer, over in zip(network.layers, accumulate(starts), strict=False) if over}


def _keeps(shape: NodeShape) -> bool:
    """Return whether a node gives the shape that it is given, as the identity does."""
    return shape.input == shape.output
