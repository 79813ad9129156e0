"""What stands in for a layer that is off, on the trunk or beside it, and where nothing could."""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Literal

from .base import NetworkError
from .chain import wiring_of
from .merge import MERGES
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
    return {name: "identity" if name not in under and _fits(wiring, name) else "zeros" for name in off}


def unfit(network: Network) -> list[str]:
    """Return each layer that is off although nothing could take its place: no residual branch holds it and shapes differ."""
    off = [part.id for part in (*network.layers, *network.branches) if not part.on]
    if not off:
        return []
    wiring = wiring_of(network)
    under = residual_branches(wiring)
    return [name for name in off if name not in under and not _fits(wiring, name)]


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


def _fits(wiring: Wiring, name: str) -> bool:
    """Return whether the identity gives what a node gives."""
    shape = wiring.shapes.nodes[name]
    return shape.input == shape.output
