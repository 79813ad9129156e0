"""Deep networks of dense blocks fold block by block: a collapsed group for each, and a click opens the whole block.

Imports the network only.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from ..network.network import Network
from .boards import connected, is_dense
from .fold import Item

LEAST_LAYERS = 8
"""Layers of a block that is worth a collapsed group of its own."""

MOST_BLOCKS = 8
"""Blocks beyond which equal ones are folded together, as in any other network."""


def dense_blocks(network: Network) -> list[range]:
    """Return the 0-based layers of each dense block with the layer that reads all of it, lowest first; mostly none."""
    pairs = [(skip.source, skip.target) if skip.joins else None for skip in network.skips]
    found = []
    for group in connected(pairs):
        members = [pairs[index] for index in group]
        if is_dense(members):
            last = min(max(target for _, target in members), network.depth - 1)
            found.append(range(min(source for source, _ in members), last + 1))
    found.sort(key=lambda block: block.start)
    apart = all(one.stop <= other.start for one, other in itertools.pairwise(found))
    large = all(len(block) >= LEAST_LAYERS for block in found)
    return found if apart and large and 2 <= len(found) <= MOST_BLOCKS else []


def folded_blocks(network: Network, blocks: list[range], unfolded: Iterable[int] = ()) -> tuple[Item, ...]:
    """Return the items with a collapsed group for every block that holds no layer of `unfolded`."""
    opened = set(unfolded)
    groups = {block.start: block for block in blocks if not opened & set(block)}
    items, index = [], 0
    while index < network.depth:
        block = groups.get(index, range(index, index + 1))
        if index in groups:
            readers = {skip.target for skip in network.skips if skip.source in block and skip.target <= block[-1]}
            items.append(Item("collapsed", index, block[-1], tuple(block), len(readers)))
        else:
            items.append(Item("box", index, index, (index,)))
        index = block.stop
    return tuple(items)
