"""Switchboards: where many skips share their ends, as in a dense block, each source and each reader has one line.

All skips of a source run along its lane, all skips into a reader along its row; the dot where the two cross is the skip.
Imports the standard library only.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from .rows import BOX, HEAD, JOINT, TAP, Link

LEAST_SKIPS = 6
"""Skips below which a line for each is as calm."""

LEAST_SHARED = 1.5
"""Skips for each source, and for each reader, below which hardly a line would be shared."""


def boards(links: Sequence[Link]) -> list[list[int]]:
    """Return the links (indices) of each switchboard; most networks have none. Links into or out of a fold take no part."""
    ends = [(link.start, link.end) if link.start.kind == TAP and link.end.kind in (BOX, JOINT, HEAD) else None for link in links]
    return [board for board in connected(ends) if is_dense([ends[index] for index in board])]


def board_of(found: Sequence[Sequence[int]]) -> dict[int, int]:
    """Return the number of the board of every link that is on one."""
    return {link: number for number, board in enumerate(found) for link in board}


def is_dense(ends: Sequence[tuple[Hashable, Hashable]]) -> bool:
    """Return whether so many run between so few sources and readers that they are calmer on shared lines."""
    lines = max(len({start for start, _ in ends}), len({end for _, end in ends}))
    return len(ends) >= max(LEAST_SKIPS, LEAST_SHARED * lines)


def connected(ends: Sequence[tuple[Hashable, Hashable] | None]) -> list[list[int]]:
    """Return the groups (indices) that hang together by a shared start or a shared end; None is in no group."""
    groups: dict[int, list[int]] = {}
    home: dict[tuple, int] = {}
    for index, pair in enumerate(ends):
        if pair is None:
            continue
        names = (("from", pair[0]), ("to", pair[1]))
        met = sorted({home[name] for name in names if name in home})
        number = met[0] if met else index
        groups.setdefault(number, []).append(index)
        for other in met[1:]:
            groups[number] += groups.pop(other)
            home.update({name: number for name, group in home.items() if group == other})
        home.update(dict.fromkeys(names, number))
    return [sorted(group) for group in groups.values()]
