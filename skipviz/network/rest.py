"""What stands in for a layer that is off, and where nothing could."""

from __future__ import annotations

from collections.abc import Collection
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

from .base import NetworkError
from .merge import MERGES

if TYPE_CHECKING:
    from .network import Network

StandIn = Literal["zeros", "identity"]


def in_residual_branch(network: Network, k: int) -> bool:
    """Return whether f_k lies under a residual merge in force, so that its lesion contributes 0."""
    return _residual_branches(network)[k - 1]


def ends_branch(network: Network, k: int) -> bool:
    """Return whether an add in force lands behind f_k, so that drop-path acts there."""
    return any(skip.target == k and MERGES[skip.merge].sums and skip.in_force for skip in network.skips)


def passes_on(network: Network, k: int) -> bool:
    """Return whether f_k, while it is off, becomes the identity; it becomes zeros in a residual branch."""
    return _stand_in(network, k, in_residual_branch(network, k)) == "identity"


def unfit(network: Network) -> list[int]:
    """Return each k of an f_k that is off although nothing could take its place: no branch holds it and shapes differ.

    Only what an earlier version wrote down has such a layer; it gives zeros.
    """
    off = [k for k, layer in enumerate(network.layers, start=1) if not layer.on]
    branches = _residual_branches(network) if off else []
    return [k for k in off if _stand_in(network, k, branches[k - 1]) is None]


def check_rests(network: Network, known: Collection[int] = ()) -> None:
    """Raise `NetworkError` where a layer is off that cannot be, apart from those `known`."""
    for k in unfit(network):
        if k not in known:
            raise NetworkError(
                f"f({k}) cannot be off: no residual skip in force passes it and it changes the shape, "
                "so nothing could take its place"
            )


def _stand_in(network: Network, k: int, in_branch: bool) -> StandIn | None:
    """Return what takes the place of f_k while it is off."""
    if in_branch:
        return "zeros"
    shape = network.shapes.layers[k - 1]
    return "identity" if shape.input == shape.output else None


def _residual_branches(network: Network) -> list[bool]:
    """Return of every layer whether it lies in a residual branch."""
    edges = [0] * (network.depth + 2)
    for skip in network.skips:
        if skip.in_force and MERGES[skip.merge].residual:
            edges[skip.source + 1] += 1
            edges[skip.target + 1] -= 1
    return [bool(over) for over in accumulate(edges[1:-1])]
