"""Which layers of a deep network get a box of their own and which are folded into a collapsed group.

A collapsed group stands for a run of equal blocks, or for one that has not its like beside it. Imports the network only.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ..network.groups import Block
from ..network.network import Network

OPENED = 2
"""Blocks that a click opens, and that stay open at either end."""

FOLDED_DEPTH = 40
"""Layers above which a network folds even where its rows would fit."""


@dataclass(frozen=True)
class Item:
    """One row of boxes' kind, lowest first: 0-based layers `first`..`last` of the network.

    A box stands for one layer, or in a folded stack for the same layer of every repeat (`layers`).
    A collapsed group stands for `blocks` blocks, which may have a name.
    """

    kind: str
    first: int
    last: int
    layers: tuple[int, ...]
    blocks: int = 0
    name: str = ""


def boxes(network: Network) -> tuple[Item, ...]:
    """Return one box a layer."""
    return tuple(Item("box", index, index, (index,)) for index in range(network.depth))


def unit_boxes(network: Network, repeat: int) -> tuple[Item, ...]:
    """Return the boxes of one unit of a network that repeats it `repeat` times, each with all its layers."""
    depth = network.depth // repeat
    return tuple(Item("box", k, k, tuple(range(k, network.depth, depth))) for k in range(depth))


def folded(network: Network, blocks: Sequence[Block], ends: int, unfolded: Iterable[int] = ()) -> tuple[Item, ...]:
    """Return the items with blocks folded that hold no 0-based layer of `unfolded`.

    Of a run of equal ones `ends` are open at either end and two more at every such layer.
    """
    rows, items = {item.first: item for item in _closed(blocks, ends, frozenset(unfolded))}, []
    while (index := items[-1].last + 1 if items else 0) < network.depth:
        items.append(rows.get(index) or Item("box", index, index, (index,)))
    return tuple(items)


def _closed(blocks: Sequence[Block], ends: int, unfolded: Collection[int]) -> Iterator[Item]:
    """Yield the rows of blocks that are folded, of those inside open ones too."""
    for unit, run in groupby(blocks, key=lambda block: block.unit):
        for stretch, folds in _alone(run, unfolded) if unit is None else _together([*run], ends, unfolded):
            first, last = stretch[0], stretch[-1]
            if folds:
                count = len(stretch) if len(stretch) > 1 else first.parts
                yield Item(
                    "collapsed", first.first, last.last, tuple(range(first.first, last.last + 1)), count, _named(first, last)
                )
            else:
                yield from (item for block in stretch for item in _closed(block.inner, ends, unfolded))


def _alone(run: Iterable[Block], unfolded: Collection[int]) -> Iterator[tuple[list[Block], bool]]:
    """Yield blocks that have nothing in common, and whether each is folded."""
    for block in run:
        opened = any(block.first <= index <= block.last for index in unfolded)
        yield [block], block.large and not opened


def _together(run: list[Block], ends: int, unfolded: Collection[int]) -> Iterator[tuple[list[Block], bool]]:
    """Yield stretches of a run of equal blocks, and whether each is folded."""
    opened, period = {*range(ends), *range(len(run) - ends, len(run))}, run[0].last - run[0].first + 1
    for index in unfolded:
        if run[0].first <= index <= run[-1].last:
            first = min((index - run[0].first) // period, len(run) - OPENED)
            opened |= {*range(first, first + OPENED)}
    for stays_open, numbers in groupby(range(len(run)), key=opened.__contains__):
        stretch = [run[number] for number in numbers]
        yield stretch, not stays_open and len(stretch) > 1


def _named(first: Block, last: Block) -> str:
    """Return the name of a row of blocks: of several the first's and the last's, shortened where they differ in a number."""
    if first is last or not first.name:
        return first.name
    stem = first.name.rstrip(string.digits)
    return f"{first.name}–{last.name.removeprefix(stem) if last.name.rstrip(string.digits) == stem else last.name}"
