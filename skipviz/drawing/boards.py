"""Switchboards: where many skips share their ends, as in a dense block, each source and each reader has one line.

All skips of a source run along its lane, all skips into a reader along its row; the dot where the two cross is the skip.
Imports the standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence

from .rows import BOX, HEAD, JOINT, TAP, Link

LEAST_SKIPS = 6
"""Skips below which a line for each is as calm."""

LEAST_SHARED = 1.5
"""Skips for each source, and for each reader, below which hardly a line would be shared."""


def boards(links: Sequence[Link]) -> list[list[int]]:
    """Return the links (indices) of each switchboard; most networks have none."""
    return [board for board in _connected(links) if len(board) >= LEAST_SKIPS and _is_dense([links[index] for index in board])]


def board_of(found: Sequence[Sequence[int]]) -> dict[int, int]:
    """Return the number of the board of every link that is on one."""
    return {link: number for number, board in enumerate(found) for link in board}


def _is_dense(links: Sequence[Link]) -> bool:
    lines = max(len({link.start for link in links}), len({link.end for link in links}))
    return len(links) >= LEAST_SHARED * lines


def _connected(links: Sequence[Link]) -> list[list[int]]:
    """Return the groups of links that hang together by a shared source or a shared end; folds take no part."""
    groups: dict[int, list[int]] = {}
    home: dict[tuple, int] = {}
    for index, link in enumerate(links):
        if link.start.kind != TAP or link.end.kind not in (BOX, JOINT, HEAD):
            continue
        ends = (("from", link.start), ("to", link.end))
        met = sorted({home[end] for end in ends if end in home})
        number = met[0] if met else index
        groups.setdefault(number, []).append(index)
        for other in met[1:]:
            groups[number] += groups.pop(other)
            home.update({end: number for end, group in home.items() if group == other})
        home.update(dict.fromkeys(ends, number))
    return [sorted(group) for group in groups.values()]
