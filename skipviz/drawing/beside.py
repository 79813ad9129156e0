"""Branches that are unfolded: where their boxes stand beside the trunk, and the corners of the edges between them.

A block holds boxes that lead to one another, in rows by what they wait for, the first lowest. Imports the network only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..network.base import axes
from ..network.branch import Beside, places_of
from ..network.merge import MERGES
from ..network.network import Network
from ..network.node import Node
from . import words
from .column import lay_out
from .edge_labels import widest
from .geometry import TRUNK_EDGE, Geometry, Point, Style
from .lanes import LEFT, RIGHT
from .rows import COLLAPSED, Plan

BOX, GAP = 17.0, 9.0
"""px of a box and between two rows, where the diagram is high enough."""
LEAST_BOX, LEAST_GAP = 12.0, 5.0
"""The closest that stays legible."""
JOINT = 13.0
"""px of a merge's square, at most."""
NARROWEST, CHARACTER = 34.0, 6.8
"""px of a box, and of a character in it; none is wider than the trunk's."""
BETWEEN = 12.0
"""px between two columns."""
CHANNEL = 7.0
"""px from one line along a block to the next."""
MARGIN = 7.0
"""px between a block's boxes and its edge."""
TITLE = 24.0
"""px above the boxes, where the block says what it is."""
APART = 8.0
"""px between two blocks."""

Channels = defaultdict[int, list[list[tuple[float, float]]]]
"""Upright lines beside blocks, by the way on which they come: of each channel, from where to where it is taken."""


@dataclass
class Block:
    """Boxes beside the trunk and all that leads into and out of them."""

    side: str
    names: list[str]
    """Ids of its nodes, each behind all that it reads."""
    links: list[int]
    """Indices of the links that leave from it."""
    title: str
    """What its edge label says."""
    rows: dict[str, int]
    columns: dict[str, int]
    edges: list[int] = field(default_factory=list)
    """Indices of the network's edges that lead into its nodes."""
    places: dict[str, tuple[float, float, float, float]] = field(default_factory=dict)
    """By node, left, top, width and height."""
    paths: dict[int, list[Point]] = field(default_factory=dict)
    """By edge, its corners."""
    labels: dict[int, Point] = field(default_factory=dict)
    """By edge, the middle of the room that its words have, where they have some."""
    frame: tuple[float, float, float, float] | None = None
    """Left, top, width and height of the whole; None where it folds no part of the diagram."""


def unfolded(geometry: Geometry) -> list[Block]:
    """Return the blocks of a diagram, without pixels."""
    plan, network = geometry.plan, geometry.plan.network
    links = [index for index, link in enumerate(plan.links) if plan.is_unfolded(link) and index not in geometry.board]
    beside, whole = Beside(network) if links else None, {}
    leads: dict[str, list[int]] = defaultdict(list)
    for index in links:
        via = network.skips[plan.links[index].skips[0]].via
        leads[via].append(index)
        own = {node.id for node in beside.feeding(via)}
        own = own.union(*(whole[name] for name in own if name in whole))
        whole |= dict.fromkeys(own, own)
    found = []
    for own in {id(own): own for own in whole.values()}.values():
        names = [node.id for node in network.branches if node.id in own]
        lines = [index for name in names for index in leads.get(name, ())]
        said = list(dict.fromkeys(words.named(network, plan.links[index].skips) for index in lines))
        title = words.foldable(f"{said[0]}, …" if len(said) > 1 else said[0])
        found.append(_arranged(network, beside, names, lines, geometry.lanes[lines[0]].side, title))
    return found


def _arranged(network: Network, beside: Beside, names: list[str], links: list[int], side: str, title: str) -> Block:
    """Return a block with every node's row and column: behind what it reads first, if that place is free."""
    inside, rows, columns, taken = set(names), {}, {}, set()
    for name in names:
        before = [edge.source for edge in beside.arriving[name] if edge.source in inside]
        rows[name] = row = max((rows[source] + 1 for source in before), default=0)
        column = min((columns[source] for source in before), default=0)
        while (row, column) in taken:
            column += 1
        columns[name] = column
        taken.add((row, column))
    edges = [index for index, edge in enumerate(network.edges) if edge.target in inside]
    return Block(side, names, links, title, rows, columns, edges)


class Placing:
    """Places one block: first its size, then its boxes and lines."""

    def __init__(self, geometry: Geometry, block: Block, room: float) -> None:
        """Measure `block`, whose rows are as high as `room` px let them be."""
        self.block, self.plan, self.network = block, geometry.plan, geometry.plan.network
        self.nodes = {node.id: node for node in self.network.branches if node.id in set(block.names)}
        self.states = places_of(self.network)
        self.count = max(block.rows.values()) + 1
        self.box_width = box_width(geometry.style, self.network, self.nodes.values())
        row = (room - TITLE - 2 * MARGIN) / self.count
        share = min(1.0, max(0.0, (row - LEAST_BOX - LEAST_GAP) / (BOX + GAP - LEAST_BOX - LEAST_GAP)))
        self.box, self.gap = LEAST_BOX + (BOX - LEAST_BOX) * share, LEAST_GAP + (GAP - LEAST_GAP) * share
        self.height = self.count * (self.box + self.gap) - self.gap + TITLE + 2 * MARGIN
        self.top = 0.0
        self._measure_width()

    def _measure_width(self) -> None:
        """Find its columns, and the lanes behind them of lines that pass boxes."""
        block, edges = self.block, self.network.edges
        cells = {(block.rows[name], block.columns[name]) for name in block.names}
        self.lanes: dict[int, int] = {}
        passing: list[list[tuple[float, float]]] = []
        for index in block.edges:
            source, target = edges[index].source, edges[index].target
            if source in self.nodes and self._is_bypass(source, target, cells):
                self.lanes[index] = first_free(passing, (block.rows[source] + 0.1, block.rows[target] - 0.1))
        self.column_count = max(block.columns.values()) + 1
        boxes = self.column_count * (self.box_width + BETWEEN) - BETWEEN
        natural = boxes + len(passing) * CHANNEL + 2 * MARGIN
        self.width = max(natural, widest([block.title]) + 2)
        self.inset = MARGIN + (self.width - natural) / 2

    def wanted(self, geometry: Geometry) -> float:
        """Return the top at which it is in the middle of what its links reach over, or where that is much, at its upper end."""
        ends = [y for index in self.block.links for y in (geometry.paths[index][0][1], geometry.paths[index][-1][1])]
        if max(ends) - min(ends) > self.height:
            return min(ends) - TITLE - MARGIN - self.box / 2
        return (min(ends) + max(ends)) / 2 - (TITLE - MARGIN) / 2 - self.height / 2

    def row(self, name: str) -> tuple[float, float]:
        """Return the top and bottom of a node."""
        bottom = self.top + self.height - MARGIN - self.block.rows[name] * (self.box + self.gap)
        height = min(JOINT, self.box) if self.is_joint(name) else self.box
        inset = (self.box - height) / 2
        return bottom - self.box + inset, bottom - inset

    def is_joint(self, name: str) -> bool:
        """Return whether a node is drawn as a merge's square."""
        return self.nodes[name].is_merge and not MERGES[self.nodes[name].op.kind].joins

    def facing(self, kind: str, index: int) -> int:
        """Return the way from the trunk to the block of a line to or from it: −1 leftwards, 1 rightwards."""
        return -1 if self.block.side == LEFT else 1

    def is_behind(self, name: str, outward: int) -> bool:
        """Return whether a box's row may hold others between it and the lines that come that way."""
        return self.block.columns[name] > 0

    def _start(self, geometry: Geometry, index: int) -> Point | None:
        """Return where an edge leaves the trunk, or None for a further input, which is not on it."""
        source, outward = self.network.edges[index].source, self.facing("edge", index)
        if source in self.network.further:
            return None
        state = self.states[source]
        for gap, states in enumerate(self.plan.gaps):
            if states[0] == state:
                x, y = geometry.state_place(gap)
                return x + outward * TRUNK_EDGE, y
        index = next(
            index for index, item in enumerate(self.plan.items) if item.kind == COLLAPSED and item.first < state <= item.last
        )
        top, bottom = geometry.items[index]
        return geometry.left if outward < 0 else geometry.right, (top + bottom) / 2

    def note_lines(self, geometry: Geometry, taken: Channels, lowest: bool = False, highest: bool = False) -> None:
        """Note every line between the block and the trunk, each in a channel before it.

        Channels are `taken` by all blocks of a side; only the lowest and the highest of these is reached past the others.
        """
        self.lowest, self.highest = lowest, highest
        block = self.block
        self.channels: dict[tuple[str, int], int] = {}
        self.sides: dict[str, list[tuple[float, str, int]]] = defaultdict(list)
        for index in block.edges:
            edge = self.network.edges[index]
            start = None if edge.source in self.nodes else self._start(geometry, index)
            if start and not self._from_below(edge.target, start[1]):
                self.sides[edge.target].append((start[1], "edge", index))
        for index in block.links:
            name, y = self._via(index), geometry.paths[index][-1][1]
            if not self._out_above(name, y):
                self.sides[name].append((y, "link", index))
        for name, lines in self.sides.items():
            lines.sort()
            for place, (y, kind, index) in enumerate(lines):
                span = sorted((y, self._side_y(name, place)))
                self.channels[kind, index] = first_free(taken[self.facing(kind, index)], (span[0] - 2, span[1] + 2))

    def _is_bypass(self, source: str, target: str, cells: set[tuple[int, int]]) -> bool:
        """Return whether other boxes stand in the way of a line up from one box and then over to another."""
        block = self.block
        column, first, last = block.columns[source], block.rows[source] + 1, block.rows[target]
        across = block.columns[target]
        if any((row, column) in cells for row in range(first, last + (column != across))):
            return True
        between = range(min(column, across) + 1, max(column, across))
        return any((last, other) in cells for other in between)

    def _from_below(self, name: str, y: float) -> bool:
        return self.lowest and not (self.block.rows[name] or self.block.columns[name]) and y > self.row(name)[1] + 2

    def _out_above(self, name: str, y: float) -> bool:
        """Return whether a link leaves a box upwards: nothing stands above it, and the link ends higher than the block."""
        above = any(
            self.block.columns[other] == self.block.columns[name] and self.block.rows[other] > self.block.rows[name]
            for other in self.block.names
        )
        return self.highest and not above and y < self.top - 2

    def _via(self, link: int) -> str:
        return self.network.skips[self.plan.links[link].skips[0]].via

    def _side_y(self, name: str, place: int) -> float:
        """Return the height at which a line to the trunk meets a box: at its side, or in the gap beside its row."""
        (top, bottom), (y, kind, index) = self.row(name), self.sides[name][place]
        if self.is_behind(name, self.facing(kind, index)):
            return top - self.gap / 2 if kind == "link" else bottom + self.gap / 2
        if len(self.sides[name]) == 1 and top + 2 < y < bottom - 2:
            return y
        return top + (bottom - top) * (place + 1) / (len(self.sides[name]) + 1)

    def place(self, geometry: Geometry, faces: Mapping[int, float], bus: float) -> None:
        """Set boxes and lines of the block, and the paths of its links.

        Channels of lines by the way that these come begin at x = `faces`; on the side of the block they take `bus` px.
        """
        block, outward = self.block, -1 if self.block.side == LEFT else 1
        face = faces[outward]
        first = face + outward * (self.inset + bus)
        half = self.box_width / 2

        def middle(name: str) -> float:
            return first + outward * (half + block.columns[name] * (self.box_width + BETWEEN))

        def reach(name: str) -> float:
            return min(JOINT, self.box) / 2 if self.is_joint(name) else half

        for name in block.names:
            top, bottom = self.row(name)
            block.places[name] = (middle(name) - reach(name), top, 2 * reach(name), bottom - top)
        near, far = face + outward * bus, face + outward * (bus + self.width)
        block.frame = (min(near, far), self.top + TITLE - MARGIN, self.width, self.height - TITLE + MARGIN)
        edges = self.network.edges
        for index in block.edges:
            source, target = edges[index].source, edges[index].target
            top, bottom = self.row(target)
            if source in self.nodes:
                lane = first + outward * (self.column_count * (self.box_width + BETWEEN) - BETWEEN + MARGIN / 2 + CHANNEL / 2)
                lane = lane + outward * self.lanes[index] * CHANNEL if index in self.lanes else None
                block.paths[index] = self._between(source, target, middle, reach, lane, outward)
                continue
            start = self._start(geometry, index)
            if start is None:
                block.paths[index] = [(middle(target), bottom + self.gap), (middle(target), bottom)]
            elif ("edge", index) not in self.channels:
                block.paths[index] = [start, (middle(target), start[1]), (middle(target), bottom)]
            else:
                block.paths[index] = [start, *self._beside("edge", index, target, faces, middle, reach, start[1])]
        for index in block.links:
            end, name = geometry.paths[index][-1], self._via(index)
            if ("link", index) in self.channels:
                leaving = self._beside("link", index, name, faces, middle, reach, end[1])[::-1]
            else:
                leaving = [(middle(name), self.row(name)[0]), (middle(name), end[1])]
            geometry.paths[index] = [*leaving, end]

    def _beside(self, kind: str, index: int, name: str, faces: Mapping[int, float], middle, reach, y: float) -> list[Point]:
        """Return the corners from a channel at height y to a box."""
        outward = self.facing(kind, index)
        x = faces[outward] + outward * (self.channels[kind, index] + 0.5) * CHANNEL
        place = [line[1:] for line in self.sides[name]].index((kind, index))
        at = self._side_y(name, place)
        if not self.is_behind(name, outward):
            return [(x, y), (x, at), (middle(name) - outward * reach(name), at)]
        edge = self.row(name)[0 if kind == "link" else 1]
        return [(x, y), (x, at), (middle(name), at), (middle(name), edge)]

    def _between(self, source: str, target: str, middle, reach, lane: float | None, outward: int) -> list[Point]:
        """Return the corners of an edge from box to box: straight up, up and over, or round by a lane."""
        here, there = middle(source), middle(target)
        top, (above, below) = self.row(source)[0], self.row(target)
        if lane is not None:
            at = (above + below) / 2
            last = [(lane, at), (there + outward * reach(target), at)]
            if self.block.columns[target] < self.column_count - 1:
                last = [(lane, below + self.gap / 2), (there, below + self.gap / 2), (there, below)]
            return [(here, top), (here, top - self.gap / 2), (lane, top - self.gap / 2), *last]
        if here == there:
            return [(here, top), (here, below)]
        at, toward = (above + below) / 2, 1 if here > there else -1
        return [(here, top), (here, at), (there + toward * reach(target), at)]


def box_width(style: Style, network: Network, nodes: Iterable[Node]) -> float:
    """Return the px of boxes that are as wide as the words on the longest of them."""
    letters = max(len(words.doing(node, axes(network.input))) for node in nodes)
    return min(style.box_width, max(NARROWEST, CHARACTER * letters + 10))


def first_free(taken: list[list[tuple[float, float]]], span: tuple[float, float]) -> int:
    """Return the first line whose spans do not meet `span`, and note it there."""
    for index, spans in enumerate(taken):
        if all(span[1] <= low or span[0] >= high for low, high in spans):
            spans.append(span)
            return index
    taken.append([span])
    return len(taken) - 1


def lay_out_unfolded(plan: Plan, style: Style, height: float, labels: Sequence[float]) -> Geometry:
    """Return the pixels of `plan` with the branches that are unfolded beside its lanes, one block of them above the other.

    Where they do not fit, the diagram becomes higher.
    """
    geometry = lay_out(plan, style, height, labels)
    placings = [Placing(geometry, block, geometry.height) for block in unfolded(geometry)]
    if not placings:
        return geometry
    sides = {side: [one for one in placings if one.block.side == side] for side in (LEFT, RIGHT)}
    tallest = max(sum(one.height + APART for one in those) - APART for those in sides.values())
    if tallest > geometry.height:
        geometry = lay_out(plan, style, tallest, labels)
        sides = {side: [Placing(geometry, one.block, tallest) for one in those] for side, those in sides.items()}
    for one in (*sides[LEFT], *sides[RIGHT]):
        one.top = one.wanted(geometry)
    buses = {side: _stack(geometry, sorted(those, key=lambda one: one.top)) for side, those in sides.items() if those}
    rooms = {side: APART + bus + max(one.width for one in sides[side]) + 1 for side, bus in buses.items()}
    geometry = lay_out(plan, style, geometry.height, labels, rooms)
    geometry.bus = max(buses.values())
    faces = {-1: geometry.left - geometry.reach[LEFT] - APART, 1: geometry.right + geometry.reach[RIGHT] + APART}
    for side, bus in buses.items():
        for one in sides[side]:
            one.place(geometry, faces, bus)
            geometry.blocks.append(one.block)
    return geometry


def _stack(geometry: Geometry, placings: list[Placing]) -> float:
    """Set the tops of a side's blocks, given from the highest down, so that none lies over another; return the px of channels."""
    free = 0.0
    for one in placings:
        one.top = max(free, one.top)
        free = one.top + one.height + APART
    free = geometry.height
    for one in reversed(placings):
        one.top = max(0.0, min(one.top, free - one.height))
        free = one.top - APART
    taken: Channels = defaultdict(list)
    for one in placings:
        one.note_lines(geometry, taken, lowest=one is placings[-1], highest=one is placings[0])
    return sum(map(len, taken.values())) * CHANNEL
