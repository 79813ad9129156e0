"""Branches with scales of their own, unfolded in a U: a row of cells a scale, a column for each change of scale on the way there.

U-Net++ is the triangle of its paper so (Zhou et al. 2018, Figure 1): X^(i,j) stands on scale i, in column j. A cell's boxes stand
one above the other; its lines come from the left, and leave it above by a track of its own.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING

from .beside import APART, BOX, CHANNEL, GAP, JOINT, TITLE, Block, Channels, Placing, box_width, first_free
from .geometry import TRUNK_EDGE, Point
from .lanes import RIGHT

if TYPE_CHECKING:
    from .ushape import UGeometry

FAR = 1e5
"""px from one scale to the next while nobody knows how high they are."""
WORDS = 26
"""px below a scale's upper edge that its resolution takes."""


@dataclass(frozen=True)
class _Line:
    """An edge into a box, or a link out of the last column, whose `target` is None."""

    kind: str
    index: int
    source: str
    target: str | None


class ScaleGrid(Placing):
    """Places such branches: each scale's boxes above the skip that runs straight across there."""

    def __init__(self, geometry: UGeometry, blocks: list[Block]) -> None:
        self.block = joined(blocks)
        self.plan, self.network, self.scales = geometry.plan, geometry.plan.network, geometry.scales
        inside = {*self.block.names}
        self.nodes = {node.id: node for node in self.network.branches if node.id in inside}
        self.box, self.gap, self.box_width = BOX, GAP, box_width(geometry.style, self.network, self.nodes.values())
        named = enumerate(self.network.layers, start=1)
        self.from_left = {layer.id: self.scales.levels[state] for state, layer in named if state <= self.scales.turn}
        self.straight = {self.scales.levels[geometry.source(link)]: link for link in geometry.flat}
        self._find_cells()
        edges = [(index, self.network.edges[index]) for index in self.block.edges]
        lines = [_Line("edge", index, edge.source, edge.target) for index, edge in edges]
        self.upright = [line for line in lines if self._is_upright(line)]
        self.lines = [line for line in lines if line not in self.upright]
        self.lines += [_Line("link", index, self._via(index), None) for index in self.block.links]
        if self.fits():
            self._measure()

    def _find_cells(self) -> None:
        """Find the scale of each node, None where it is on none of the trunk's, its column, and its row within its cell."""
        columns, rows, levels = {}, {}, dict(self.from_left)
        self.block.columns, self.block.rows, self.levels = columns, rows, levels
        for name, node in self.nodes.items():
            before = [edge.source for edge in (self.network.edges[index] for index in self.block.edges) if edge.target == name]
            factor = Fraction(1) if node.is_merge else node.op.coarsens
            found = {self.scales.coarser(levels.get(source), factor) for source in before}
            levels[name] = found.pop() if len(found) == 1 else None
            columns[name] = max(1, *(columns.get(source, 0) + (levels.get(source) != levels[name]) for source in before))
            cell = [source for source in before if source in self.nodes and self._cell(source) == self._cell(name)]
            rows[name] = max((rows[source] + 1 for source in cell), default=0)
        self.own = sorted({levels[name] for name in self.nodes} - {None})
        self.count = max(columns.values()) + 1

    def _cell(self, name: str) -> tuple[int | None, int]:
        return self.levels[name], self.block.columns[name]

    def _is_upright(self, line: _Line) -> bool:
        """Return whether an edge leads from a box to the one above it."""
        rows = self.block.rows
        inside = line.source in self.nodes and self._cell(line.source) == self._cell(line.target)
        return inside and rows[line.target] == rows[line.source] + 1

    def fits(self) -> bool:
        """Return whether a place holds one box, scales have straight skips, and lines come from the left and from cells' tops."""
        places = {(*self._cell(name), self.block.rows[name]) for name in self.nodes}
        if len(places) < len(self.nodes) or not {self.levels[name] for name in self.nodes} <= self.straight.keys():
            return False
        return all(self._comes_from_left(line, places) for line in self.lines)

    def _comes_from_left(self, line: _Line, places: set[tuple]) -> bool:
        if line.source not in self.nodes:
            return line.source in self.from_left
        above = (*self._cell(line.source), self.block.rows[line.source] + 1)
        return above not in places and self.block.columns[line.source] < self._column(line)

    def _measure(self) -> None:
        """Find the channels of lines before each column, the width in all, and px above and below the straight skips."""
        self.flat = {level: level * FAR for level in range(self.scales.count)}
        self.high = {
            level: max(self.block.rows[name] + 1 for name in self.nodes if self.levels[name] == level) for level in self.own
        }
        self.sides: dict[str, list[_Line]] = defaultdict(list)
        for line in sorted(self.lines, key=self._leaves):
            if line.target:
                self.sides[line.target].append(line)
        taken: dict[int, list] = defaultdict(list)
        self.channels = {}
        for line in self.lines:
            low, high = sorted((self._leaves(line), self._arrives(line)))
            self.channels[line] = first_free(taken[self._column(line)], (low - 1, high + 1))
        self.gutters = [len(taken[column]) * CHANNEL + APART for column in range(1, self.count + 1)]
        self.needed = sum(self.gutters) + (self.count - 1) * self.box_width + 2 * APART
        tops = {level: self.flat[level] - self._track(level, self.count) + APART + WORDS for level in self.own}
        tops[self.own[0]] += TITLE
        self.needs = {self.straight[level]: (top, APART) for level, top in tops.items()}

    def _column(self, line: _Line) -> int:
        return self.block.columns[line.target] if line.target else self.count

    def _track(self, level: int, column: int) -> float:
        """Return the y on which what leaves a cell runs to the right."""
        return self.flat[level] - APART - self.high[level] * (self.box + self.gap) - (column - 1) * CHANNEL

    def row(self, name: str) -> tuple[float, float]:
        middle = self.flat[self.levels[name]] - APART - self.block.rows[name] * (self.box + self.gap) - self.box / 2
        half = (min(JOINT, self.box) if self.is_joint(name) else self.box) / 2
        return middle - half, middle + half

    def _leaves(self, line: _Line) -> float:
        """Return the y on which a line runs to the right."""
        return self._track(*self._cell(line.source)) if line.source in self.nodes else self.flat[self.levels[line.source]]

    def _arrives(self, line: _Line) -> float:
        """Return the y at which a line meets its end; lines from above meet a box's side above others."""
        if line.target is None:
            return self.flat[self.levels[line.source]]
        (top, bottom), lines = self.row(line.target), self.sides[line.target]
        return top + (bottom - top) * (lines.index(line) + 1) / (len(lines) + 1)

    def take(self, geometry: UGeometry, taken: Channels) -> None:
        """Take no channels: its lines have gutters of their own."""

    def set(self, geometry: UGeometry, taken: Channels) -> None:
        """Set boxes, lines and frame, the U's skips being placed."""
        block, half = self.block, geometry.style.box_width / 2 + APART
        self.flat = {level: geometry.flat[link] for level, link in self.straight.items()}
        spare = (geometry.trunk - geometry.down - 2 * half - self.needed + 2 * APART) / self.count
        self.x = [geometry.down + half - self.box_width]
        for gutter in self.gutters:
            self.x.append(self.x[-1] + self.box_width + gutter + spare)
        for name in block.names:
            left, (top, bottom) = self.x[block.columns[name]], self.row(name)
            inset = (self.box_width - min(JOINT, self.box)) / 2 if self.is_joint(name) else 0
            block.places[name] = (left + inset, top, self.box_width - 2 * inset, bottom - top)
        for line in self.upright:
            block.paths[line.index] = [self._top(line.source), (self._top(line.source)[0], self.row(line.target)[1])]
        for line in self.lines:
            self._route(geometry, line)
        left, right = self.x[1], self.x[max(block.columns.values())] + self.box_width
        top = min(self._track(*self._cell(name)) for name in self.nodes) - APART
        bottom = max(self.row(name)[1] for name in self.nodes) + APART / 2
        block.frame = (left - APART / 2, top, right - left + APART, bottom - top)
        geometry.blocks.append(block)

    def _top(self, name: str) -> Point:
        return self.x[self.block.columns[name]] + self.box_width / 2, self.row(name)[0]

    def _route(self, geometry: UGeometry, line: _Line) -> None:
        """Find a line's corners: to the height on which it runs, over to a channel before the next column, and along that."""
        x, y = self.x[self._column(line)] - APART / 2 - self.channels[line] * CHANNEL, self._leaves(line)
        start: list[Point] = [(geometry.down + TRUNK_EDGE, y)]
        if line.source in self.nodes:
            start = [self._top(line.source), (self._top(line.source)[0], y)]
        if line.target is None:
            end = geometry.paths[line.index][-1]
            geometry.paths[line.index] = [*start, (x, y), (x, end[1]), end]
        else:
            at = self._arrives(line)
            self.block.paths[line.index] = [*start, (x, y), (x, at), (self.block.places[line.target][0], at)]


def joined(blocks: list[Block]) -> Block:
    """Return blocks as one."""
    parts = {name: [*chain.from_iterable(getattr(block, name) for block in blocks)] for name in ("names", "links", "edges")}
    return Block(RIGHT, title=blocks[0].title, rows={}, columns={}, **parts)
