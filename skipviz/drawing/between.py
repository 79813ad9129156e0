"""Branches that are unfolded between the two ways of a U: each beside the skip that it changes, read from either way."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from .beside import APART, CHANNEL, Block, Channels, Placing, unfolded
from .lanes import RIGHT
from .rows import Plan
from .scale_grid import ScaleGrid

if TYPE_CHECKING:
    from .ushape import UGeometry

RESOLUTION_HEIGHT = 13
"""px that a level's resolution takes below its edge."""
SHARE = 0.8
"""Part of a U's height that its blocks may take before their rows stand closer."""


class Between(Placing):
    """Places a block in the middle of a U: what comes down meets it from the left, what goes up from the right."""

    def __init__(self, geometry: UGeometry, block: Block, room: float) -> None:
        super().__init__(geometry, block, room)
        self.turn = geometry.scales.turn
        lines = [edge.source for edge in (self.network.edges[index] for index in block.edges) if edge.source not in self.nodes]
        self.needed = self.width + (len(lines) + len(block.links)) * CHANNEL + 2 * APART
        self.needs = {block.links[0]: (self.height / 2 + 2 * RESOLUTION_HEIGHT, self.height / 2 + APART)}

    def facing(self, kind: str, index: int) -> int:
        return 1 if kind == "edge" and self.states.get(self.network.edges[index].source, 0) < self.turn else -1

    def take(self, geometry: UGeometry, taken: Channels) -> None:
        """Stand in the middle of the skip's height, and take channels beside the U's ways."""
        self.top = geometry.flat[self.block.links[0]] - self.height / 2
        self.note_lines(geometry, taken)

    def set(self, geometry: UGeometry, taken: Channels) -> None:
        """Set boxes and lines, all channels being `taken`."""
        half = geometry.style.box_width / 2 + APART
        faces = {1: geometry.down + half, -1: geometry.trunk - half}
        left, right = (len(taken[way]) * CHANNEL for way in (1, -1))
        self.place(geometry, faces, left + (faces[-1] - faces[1] - left - right - self.width) / 2)
        geometry.blocks.append(self.block)

    def is_behind(self, name: str, outward: int) -> bool:
        columns, row = self.block.columns, self.block.rows[name]
        return any(self.block.rows[other] == row and (columns[name] - columns[other]) * outward > 0 for other in columns)


def blocks_between(geometry: UGeometry) -> list[Between | ScaleGrid]:
    """Return the blocks of a U, measured and not yet placed."""
    found = unfolded(geometry)
    alone = [block for block in found if _is_alone(geometry, block)]
    for block in alone:
        block.side = RIGHT
    others = [block for block in found if block not in alone]
    grids = [ScaleGrid(geometry, others)] if others else []
    return [*(Between(geometry, block, geometry.height * SHARE / len(alone)) for block in alone), *grids]


def _is_alone(geometry: UGeometry, block: Block) -> bool:
    """Return whether a block changes one skip, which runs straight across."""
    return len(block.links) == 1 and block.links[0] in geometry.flat


def place_between(geometry: UGeometry, placings: list[Between | ScaleGrid]) -> None:
    """Set the boxes and lines of the blocks of a U whose skips are placed."""
    taken: Channels = defaultdict(list)
    for one in placings:
        one.take(geometry, taken)
    for one in placings:
        one.set(geometry, taken)


def openable(geometry: UGeometry) -> set[str]:
    """Return the last nodes of the branches of a U that can stand between its ways: each on one skip straight across, or a grid
    of scales with nothing else there."""
    plan: Plan = geometry.plan
    blocks = unfolded(geometry)
    links = {index: block for block in blocks for index in block.links}
    able = [index for index, block in links.items() if _is_alone(geometry, block)]
    across = {index for index in range(len(plan.links)) if geometry.across(index)}
    if links and not able and across <= {*geometry.flat, *links} and ScaleGrid(geometry, blocks).fits():
        able = [*links]
    return {plan.network.skips[plan.links[index].skips[0]].via for index in able}
