"""Which layers of a deep network get a box of their own and which are folded into a collapsed group.

A collapsed group stands for a run of equal blocks; a block is the network's repeating unit, found from the layers and the
pattern of skips. Imports the network only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..network.network import Network

MAX_PERIOD = 16
"""Layers of the longest block looked for: DenseNet's and U-Net's repeating units are shorter."""

NEARLY = 0.9
"""A period wins over a longer one that explains a few layers more."""

OPENED = 2
"""Blocks that a click opens, and that stay open at either end."""

FOLDED_DEPTH = 40
"""Layers above which a network folds even where its rows would fit."""


@dataclass(frozen=True)
class Blocks:
    """The repeating part of a network: `count` blocks of `period` layers from 0-based layer `start`."""

    start: int
    period: int
    count: int

    @property
    def end(self) -> int:
        """The 0-based layer after the last block."""
        return self.start + self.period * self.count


@dataclass(frozen=True)
class Item:
    """One row of boxes' kind, lowest first: 0-based layers `first`..`last` of the network.

    A box stands for one layer, or in a folded stack for the same layer of every repeat (`layers`).
    A collapsed group stands for `blocks` blocks.
    """

    kind: str
    first: int
    last: int
    layers: tuple[int, ...]
    blocks: int = 0


def boxes(network: Network) -> tuple[Item, ...]:
    """Return one box a layer."""
    return tuple(Item("box", index, index, (index,)) for index in range(network.depth))


def unit_boxes(network: Network, repeat: int) -> tuple[Item, ...]:
    """Return the boxes of one unit of a network that repeats it `repeat` times, each with all its layers."""
    depth = network.depth // repeat
    return tuple(Item("box", k, k, tuple(range(k, network.depth, depth))) for k in range(depth))


def is_stack(network: Network, repeat: int) -> bool:
    """Return whether layers and skips of `network` are one unit `repeat` times over."""
    if repeat < 2 or network.depth % repeat:
        return False
    depth = network.depth // repeat
    specs = [_spec(layer) for layer in network.layers]
    if any(specs[index] != specs[index % depth] for index in range(network.depth)):
        return False
    units: list[set] = [set() for _ in range(repeat)]
    for skip in network.skips:
        number = skip.source // depth
        if skip.target > (number + 1) * depth:
            return False
        units[number].add((skip.source - number * depth, skip.target - number * depth, skip.merge))
    return all(unit == units[0] for unit in units)


def repeating(network: Network) -> Blocks:
    """Return the network's repeating part; a network without one is blocks of one layer.

    The period is the shortest at which nearly as many layers equal the layer that far above them as at any other;
    a skip that someone added does not break it.
    """
    signatures = _signatures(network)
    candidates = []
    for period in range(1, min(MAX_PERIOD, network.depth // 3) + 1):
        same = [index for index in range(network.depth - period) if signatures[index] == signatures[index + period]]
        if same:
            candidates.append((len(same) / (network.depth - period), period, same))
    if not candidates:
        return Blocks(0, 1, network.depth)
    most = max(share for share, _, _ in candidates)
    _, period, same = next(found for found in candidates if found[0] >= NEARLY * most)
    start = same[0]
    return _phased(network, start, same[-1] + period + 1 - start, period)


def folded(network: Network, blocks: Blocks, ends: int, unfolded: Iterable[int] = ()) -> tuple[Item, ...]:
    """Return the items with `ends` blocks open at either end and two more at every 0-based layer of `unfolded`."""
    shown = set(range(blocks.start)) | set(range(blocks.end, network.depth))
    open_blocks = set(range(ends)) | set(range(blocks.count - ends, blocks.count))
    for index in unfolded:
        number = (index - blocks.start) // blocks.period
        first = min(number, blocks.count - OPENED)
        open_blocks |= set(range(first, first + OPENED))
    for number in open_blocks:
        first = blocks.start + number * blocks.period
        shown |= set(range(first, first + blocks.period))
    return tuple(_items(network.depth, shown, blocks.period))


def _items(depth: int, shown: set[int], period: int):
    index = 0
    while index < depth:
        last = index
        while last + 1 < depth and index not in shown and last + 1 not in shown:
            last += 1
        if index in shown or last - index + 1 < 2 * period:
            yield from (Item("box", k, k, (k,)) for k in range(index, last + 1))
        else:
            yield Item("collapsed", index, last, tuple(range(index, last + 1)), (last - index + 1) // period)
        index = last + 1


def _spec(layer) -> tuple:
    return (layer.op, layer.activation, layer.norm, layer.order, layer.init, layer.dropout, layer.drop_path, layer.scale)


def _signatures(network: Network) -> list[tuple]:
    """Return what each layer looks like from where it stands; switches, strengths and gains do not count."""
    landing: list[list] = [[] for _ in range(network.depth + 1)]
    for skip in network.skips:
        landing[skip.target].append((skip.target - skip.source, skip.merge))
    return [(_spec(layer), tuple(sorted(landing[index + 1]))) for index, layer in enumerate(network.layers)]


def _phased(network: Network, start: int, length: int, period: int) -> Blocks:
    """Return the run cut into blocks where the fewest skips pass over the cuts."""
    cuts = [0] * (network.depth + 2)
    for skip in network.skips:
        cuts[skip.source + 1] += 1
        cuts[skip.target] -= 1
    for state in range(1, len(cuts)):
        cuts[state] += cuts[state - 1]

    def crossing(phase: int) -> tuple:
        count = (length - phase) // period
        return (sum(cuts[start + phase + number * period] for number in range(count + 1)) / max(1, count), phase)

    phase = min(range(period), key=crossing)
    return Blocks(start + phase, period, (length - phase) // period)
