"""Switchboards: where many skips share their ends, as in a dense block, each source and each reader has one line.

All skips of a source run along its lane, all skips into a reader along its row; the dot where the two cross is the skip.
Imports the network only.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..network.groups import groups_of, is_dense
from .rows import BOX, HEAD, JOINT, TAP, Plan


def boards(plan: Plan) -> list[list[int]]:
    """Return the links (indices) of each switchboard; most networks have none. Links into or out of a fold take no part."""
    group_of = {skip: number for number, group in enumerate(groups_of(plan.network).dense) for skip in group}
    found: dict[int, list[int]] = {}
    for index, link in enumerate(plan.links):
        if link.skips[0] in group_of and link.start.kind == TAP and link.end.kind in (BOX, JOINT, HEAD):
            found.setdefault(group_of[link.skips[0]], []).append(index)
    return [board for board in found.values() if is_dense([(plan.links[link].start, plan.links[link].end) for link in board])]


def board_of(found: Sequence[Sequence[int]]) -> dict[int, int]:
    """Return the number of the board of every link that is on one."""
    return {link: number for number, board in enumerate(found) for link in board}
