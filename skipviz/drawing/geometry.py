"""From the row table to pixels: the y of every row and gap, the x of every lane, the corners of every skip.

y grows downwards as in SVG; the network's input is at the bottom. Imports the standard library only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from .boards import board_of, boards
from .lanes import LEFT, RIGHT, Lane, Span, assign
from .rows import BOX, COLLAPSED, DENSE, DENSE_TOUCH, FIGURE, HEAD, JOINT, SIDE, TAP, Dimensions, Link, Place, Plan

if TYPE_CHECKING:
    from .beside import Block


@dataclass(frozen=True)
class Style:
    """What differs between the pages, in px."""

    box_width: float
    pitch: float
    left: float
    """Least room left of the boxes; three lanes fit, so that switching patterns rarely moves the trunk."""
    right: float
    gain: float
    """From the right room's edge to the middle of the gain column, and from there to the diagram's edge."""
    top: float
    """Above the topmost row: trunk and words."""
    bottom: float
    stub_top: float
    """Trunk beyond the last row, of `top` and `bottom`."""
    stub_bottom: float
    plug: float
    """Width of the plug with which a concat ends."""
    band: float
    """Widest band of a gradient."""
    dense: Dimensions = DENSE
    """The closest that its rows may stand."""


STYLES = {
    "figure": Style(
        box_width=64, pitch=15, left=67, right=19, gain=22, top=20, bottom=20, stub_top=10.5, stub_bottom=10.5, plug=0, band=8
    ),
    "lab": Style(
        box_width=72, pitch=13, left=64, right=24, gain=22, top=25, bottom=11.4, stub_top=19, stub_bottom=5.4, plug=4, band=9
    ),
}
COMPACT = {"box_width": 54, "left": 41, "right": 8, "gain": 20, "dense": DENSE_TOUCH}
"""What a phone's drawing has apart, with its rows a finger's width from one another."""
STYLES |= {
    "compact figure": replace(STYLES["figure"], **COMPACT, pitch=13),
    "compact lab": replace(STYLES["lab"], **COMPACT),
}

LEAST_PITCH = 4
"""px between lanes below which two lines cannot be told apart."""

LEAST_BOARD_PITCH = 6
"""px between the lanes of a switchboard: two dots still lie beside each other."""

WIDEST_LANES = 104
"""px a side that lanes take before their pitch shrinks."""

MOST_LANES = 36
"""Lanes a side; what would lie further out shares the outermost, so that the width stays bounded."""

COLLAPSED_SHARE = 0.45
"""Part of the height that collapsed groups take where rows can give it."""

LEAST_COLLAPSED = 60
"""px of a collapsed group below which its label and stripes no longer fit."""

COLLAPSED_LEFT, COLLAPSED_RIGHT = 22, 9
"""How far a collapsed group reaches past its boxes, px: on the left it holds the mini-lane."""
COLLAPSED_REACH = {LEFT: COLLAPSED_LEFT, RIGHT: COLLAPSED_RIGHT}

HEAD_HEIGHT = 13
"""px of the stub that stands for the head where a concat is read by it."""

LABEL_GAP = 3.5
"""px between a box and the words on a line beside it."""

LEAST_LABEL = 50
"""px that are kept for words, if there are any: a strength can change its sign and digits, and no box moves."""

TRUNK_EDGE = 0.9
"""Skips end this far from the trunk's middle, px, so that its wire stays whole."""

Point = tuple[float, float]


@dataclass
class Geometry:
    """Pixels of one diagram. Lists follow the plan's items, gaps and links, lowest first."""

    plan: Plan
    style: Style
    dimensions: Dimensions
    width: float
    height: float
    trunk: float
    pitch: float
    gain: float
    band: float
    """Widest band that keeps lines apart, px."""
    items: list[tuple[float, float]] = field(default_factory=list)
    """(top, bottom) of each box or collapsed group."""
    joints: dict[int, tuple[float, float]] = field(default_factory=dict)
    gaps: list[tuple[float, float]] = field(default_factory=list)
    """(top, bottom) of each gap's free trunk."""
    head: tuple[float, float] | None = None
    lanes: list[Lane] = field(default_factory=list)
    board: dict[int, int] = field(default_factory=dict)
    """Number of the switchboard of each link that is on one."""
    taps: list[float | None] = field(default_factory=list)
    """y of each link's tap on the trunk."""
    reach: Mapping[str, float] = field(default_factory=dict)
    """px that lanes and their words take on each side."""
    blocks: list[Block] = field(default_factory=list)
    """Branches that are unfolded."""
    room: dict[int, float] = field(default_factory=dict)
    """px between a link's end and the next one on the same side of a box."""
    paths: list[list[Point]] = field(default_factory=list)

    @property
    def left(self) -> float:
        """x of the boxes' left side."""
        return self.trunk - self.style.box_width / 2

    @property
    def right(self) -> float:
        """x of the boxes' right side."""
        return self.trunk + self.style.box_width / 2

    def trunk_at(self, item: int) -> float:
        """Return the x of the trunk where item `item` stands."""
        return self.trunk

    def gain_at(self, item: int) -> float:
        """Return the x of that item's valve."""
        return self.gain

    def state_place(self, gap: int) -> Point:
        """Return where the handle of a gap's state lies: at its first tap, or in its middle."""
        taps = self.gap_taps(gap)
        return self.trunk, taps[0] if taps else sum(self.gaps[gap]) / 2

    def lane_x(self, lane: Lane) -> float:
        """Return the x of a lane."""
        offset = (min(lane.index, MOST_LANES - 1) + 1) * self.pitch
        return self.left - offset if lane.side == LEFT else self.right + offset

    def gap_taps(self, gap: int) -> list[float]:
        """Return the y of the taps in a gap, lowest on the page first."""
        return sorted({self.taps[link] for link in self.plan.leaving.get(gap, ()) if self.taps[link] is not None}, reverse=True)

    def strand(self, link: int) -> tuple:
        """Return what stands for the line of a link: its switchboard's number, or its own."""
        return ("board", self.board[link]) if link in self.board else ("link", link)

    @cached_property
    def board_ends(self) -> dict[tuple, list[int]]:
        """The links of a switchboard by where they start and by where they end: `("start" | "end", board, place)`."""
        ends: dict[tuple, list[int]] = defaultdict(list)
        for index, board in self.board.items():
            ends["start", board, self.plan.links[index].start].append(index)
            ends["end", board, self.plan.links[index].end].append(index)
        return ends

    def edge(self, link: int) -> float:
        """Return the x of the side of the boxes, or of a collapsed group, that a link's lane runs along."""
        side, passed = self.lanes[link].side, _passes_collapsed(self.plan, self.plan.links[link])
        reach = COLLAPSED_REACH[side] if passed else 0
        return self.lane_x(Lane(side, -1)) + (-reach if side == LEFT else reach)

    def leg(self, link: int) -> tuple[Point, Point]:
        """Return the ends of the leg that runs along a link's lane."""
        x, path = self.lane_x(self.lanes[link]), self.paths[link]
        return next((leg for leg in pairwise(path) if leg[0][0] == leg[1][0] == x), (path[-2], path[-1]))


def lay_out(
    plan: Plan, style: Style, height: float, labels: Sequence[float] = (), rooms: Mapping[str, float] | None = None
) -> Geometry:
    """Return the pixels of `plan` in `height` px, more where the densest rows need it.

    `labels` holds the width of the words on each link, 0 for none; without it there are none. `rooms` are px, by side, that
    stay free beyond the lanes.
    """
    groups = (Place(COLLAPSED, index).position for index, item in enumerate(plan.items) if item.kind == "collapsed")
    found = boards(plan)
    lanes = assign([link.span for link in plan.links], [Span(position, position) for position in groups], found)
    levels = _levels(plan, lanes, board_of(found))
    dimensions, collapsed_heights = _fit(plan, style, levels, height)
    total = max(height, _total(plan, style, levels, dimensions) + sum(collapsed_heights.values()))
    least = LEAST_BOARD_PITCH if found else LEAST_PITCH
    geometry = _columns(plan, style, dimensions, lanes, total, labels, least, rooms or {})
    geometry.board = board_of(found)
    _stack(geometry, levels, collapsed_heights)
    _route(geometry)
    return geometry


def _levels(plan: Plan, lanes: list[Lane], board: dict[int, int]) -> list[int]:
    """Return how many heights of taps each gap needs: lines on one side tap one above the other, a board's all as one."""
    lines: dict[tuple[int, str], set[tuple[str, int]]] = defaultdict(set)
    for index, (link, lane) in enumerate(zip(plan.links, lanes, strict=True)):
        if link.start.kind == TAP:
            lines[link.start.index, lane.side].add(("board", board[index]) if index in board else ("link", index))
    return [max(len(lines[gap, LEFT]), len(lines[gap, RIGHT])) for gap in range(len(plan.gaps))]


def _gap_height(plan: Plan, style: Style, levels: list[int], gap: int, dimensions: Dimensions) -> float:
    if gap == len(plan.gaps) - 1:
        return 0.0 if not plan.head else dimensions.gap + HEAD_HEIGHT
    if levels[gap]:
        return dimensions.tap + (levels[gap] - 1) * dimensions.level
    return 0.0 if gap == 0 else dimensions.gap


def _total(plan: Plan, style: Style, levels: list[int], dimensions: Dimensions) -> float:
    """Return the height of everything but collapsed groups."""
    boxes = sum(1 for item in plan.items if item.kind == "box")
    joints = len(plan.joints) * (dimensions.stub + dimensions.joint)
    gaps = sum(_gap_height(plan, style, levels, gap, dimensions) for gap in range(len(plan.gaps)))
    return style.top + style.bottom + boxes * dimensions.box + joints + gaps


def _fit(plan: Plan, style: Style, levels: list[int], height: float) -> tuple[Dimensions, dict[int, float]]:
    """Return the dimensions that fill `height` and each collapsed group's height."""
    blocks = {index: item.blocks for index, item in enumerate(plan.items) if item.kind == "collapsed"}
    low, high = (_total(plan, style, levels, dimensions) for dimensions in (style.dense, FIGURE))
    room = height * (1 - COLLAPSED_SHARE) if blocks else height
    share = min(1.0, max(0.0, (room - low) / max(1e-9, high - low)))
    dimensions = style.dense.between(FIGURE, share)
    if not blocks:
        return dimensions, {}
    left = max(height - _total(plan, style, levels, dimensions), LEAST_COLLAPSED * len(blocks))
    spare = left - LEAST_COLLAPSED * len(blocks)
    whole = sum(blocks.values())
    return dimensions, {index: LEAST_COLLAPSED + spare * count / whole for index, count in blocks.items()}


def _columns(
    plan: Plan,
    style: Style,
    dimensions: Dimensions,
    lanes: list[Lane],
    total: float,
    labels: Sequence[float],
    least: float,
    rooms: Mapping[str, float],
) -> Geometry:
    """Return a geometry whose columns are placed, lanes at least `least` px apart, and whose rows are not."""
    count = {
        side: min(MOST_LANES, max((lane.index + 1 for lane in lanes if lane.side == side), default=0)) for side in (LEFT, RIGHT)
    }
    most = max(count.values())
    pitch = max(least, min(style.pitch, WIDEST_LANES / max(1, most)))
    has_collapsed = any(item.kind == "collapsed" for item in plan.items)
    words = {LEFT: 0.0, RIGHT: 0.0}
    for link, lane, width in zip(plan.links, lanes, labels, strict=False):
        if width:
            reach = COLLAPSED_REACH[lane.side] if _passes_collapsed(plan, link) else 0
            kept, middle = max(width, LEAST_LABEL), (min(lane.index, MOST_LANES - 1) + 1) * pitch
            words[lane.side] = max(words[lane.side], middle + kept / 2, reach + LABEL_GAP + kept)
    reach = {LEFT: max(count[LEFT] * pitch + 8, words[LEFT] + 2), RIGHT: max(count[RIGHT] * pitch + 4, words[RIGHT])}
    left = max(style.left, reach[LEFT] + rooms.get(LEFT, 0))
    room = reach[RIGHT] + rooms.get(RIGHT, 0) if count[RIGHT] or RIGHT in rooms else 0
    right = max(style.right, room, words[RIGHT], COLLAPSED_RIGHT + 9 if has_collapsed else 0)
    trunk = round(left + style.box_width / 2)
    gain = trunk + style.box_width / 2 + right + style.gain
    band = max(2.0, min(style.band, pitch - 4, dimensions.tap))
    width = round(gain + style.gain + 8)
    return Geometry(plan, style, dimensions, width, total, trunk, pitch, gain, band, lanes=lanes, reach=reach)


def _passes_collapsed(plan: Plan, link: Link) -> bool:
    """Return whether a link runs along a whole collapsed group."""
    groups = (Place(COLLAPSED, index).position for index, item in enumerate(plan.items) if item.kind == "collapsed")
    return any(link.span.low < position < link.span.high for position in groups)


def _stack(geometry: Geometry, levels: list[int], groups: dict[int, float]) -> None:
    """Place every row, from the bottom up; what is left of the height goes half above, half below."""
    plan, style, d = geometry.plan, geometry.style, geometry.dimensions
    used = _total(plan, style, levels, d) + sum(groups.values())
    y = geometry.height - (geometry.height - used) / 2 - style.bottom
    for index, item in enumerate(plan.items):
        y = _gap(geometry, levels, index, y)
        top = y - (d.box if item.kind == "box" else groups[index])
        geometry.items.append((top, y))
        y = top
        if index in plan.joints:
            geometry.joints[index] = (y - d.stub - d.joint, y - d.stub)
            y -= d.stub + d.joint
    last = len(plan.gaps) - 1
    height = _gap_height(plan, style, levels, last, d)
    if plan.head:
        geometry.head = (y - height, y - height + HEAD_HEIGHT)
    geometry.gaps.append((y - height - style.stub_top, y))


def _gap(geometry: Geometry, levels: list[int], gap: int, y: float) -> float:
    """Place the gap whose lower end is y; return its upper end."""
    height = _gap_height(geometry.plan, geometry.style, levels, gap, geometry.dimensions)
    tail = geometry.style.stub_bottom if gap == 0 else 0
    geometry.gaps.append((y - height, y + tail))
    return y - height


def _route(geometry: Geometry) -> None:
    """Find every link's tap and corners."""
    plan = geometry.plan
    geometry.taps = _taps(geometry)
    starts, ends = _side_heights(geometry)
    for index, link in enumerate(plan.links):
        lane = geometry.lanes[index]
        x, outward = geometry.lane_x(lane), (-1 if lane.side == LEFT else 1)
        points: list[Point] = []
        if link.start.kind == TAP:
            points += [(geometry.trunk + outward * TRUNK_EDGE, geometry.taps[index]), (x, geometry.taps[index])]
        elif link.start.kind == SIDE:
            points += [(_side_x(geometry, lane), starts[index]), (x, starts[index])]
        else:
            points += _collapsed_entry(geometry, link.start.index, lane, leaving=True)
        if link.end.kind == COLLAPSED:
            points += _collapsed_entry(geometry, link.end.index, lane, leaving=False)
        else:
            points += [(x, ends[index]), (_end_x(geometry, link, lane), ends[index])]
        geometry.paths.append(points)


def _side_x(geometry: Geometry, lane: Lane) -> float:
    return geometry.left if lane.side == LEFT else geometry.right


def _end_x(geometry: Geometry, link: Link, lane: Lane) -> float:
    outward = -1 if lane.side == LEFT else 1
    if link.end.kind == JOINT:
        return geometry.trunk + outward * geometry.dimensions.joint / 2
    if link.end.kind == HEAD:
        return geometry.trunk + outward * geometry.style.box_width / 4
    return _side_x(geometry, lane)


def _collapsed_entry(geometry: Geometry, item: int, lane: Lane, leaving: bool) -> list[Point]:
    """Return the corners of a link at a collapsed group's edge: straight in by the mini-lane, else round to the side."""
    top, bottom = geometry.items[item]
    x = geometry.lane_x(lane)
    if lane.side == LEFT and lane.index == 0:
        return [(x, top if leaving else bottom)]
    y = top + 8 if leaving else bottom - 8
    edge = geometry.left - COLLAPSED_LEFT if lane.side == LEFT else geometry.right + COLLAPSED_RIGHT
    return [(edge, y), (x, y)] if leaving else [(x, y), (edge, y)]


def _taps(geometry: Geometry) -> list[float | None]:
    """Return each link's tap: in a gap, outer lanes tap lower, so that lines of one side do not cross."""
    taps: list[float | None] = [None] * len(geometry.lanes)
    groups: dict[tuple[int, str], list[int]] = defaultdict(list)
    for index, link in enumerate(geometry.plan.links):
        if link.start.kind == TAP:
            groups[link.start.index, geometry.lanes[index].side].append(index)
    for (gap, _), links in groups.items():
        bottom = geometry.gaps[gap][1] if gap else geometry.gaps[0][1] - geometry.style.stub_bottom
        ordered = sorted(links, key=lambda index: -geometry.lanes[index].index)
        levels = {strand: level for level, strand in enumerate(dict.fromkeys(geometry.strand(index) for index in ordered))}
        for index in ordered:
            level = levels[geometry.strand(index)]
            taps[index] = bottom - geometry.dimensions.tap / 2 - level * geometry.dimensions.level
    return taps


def _side_heights(geometry: Geometry) -> tuple[dict[int, float], dict[int, float]]:
    """Return the y of links that leave from a box's side, and of links that end at a box, joint or head.

    From below upwards: ends, outer lanes higher, then starts, outer lanes lower; so no two cross.
    """
    sides: dict[tuple, list[tuple[int, int, int]]] = defaultdict(list)
    rows: dict[tuple, int] = {}
    for index, link in enumerate(geometry.plan.links):
        lane = geometry.lanes[index]
        if link.start.kind == SIDE:
            sides[BOX, link.start.index, lane.side].append((1, -lane.index, index))
        if link.end.kind in (BOX, JOINT, HEAD) and rows.setdefault((link.end, geometry.strand(index)), index) == index:
            sides[link.end.kind, link.end.index, lane.side].append((0, lane.index, index))
    starts: dict[int, float] = {}
    ends: dict[int, float] = {}
    for (kind, item, _), links in sides.items():
        top, bottom = {BOX: geometry.items, JOINT: geometry.joints}.get(kind, {item: geometry.head})[item]
        step = min(geometry.band + 2, (bottom - top) / (len(links) + 0.4))
        base = (top + bottom) / 2 + step * (len(links) - 1) / 2
        for place, (leaving, _, index) in enumerate(sorted(links)):
            (starts if leaving else ends)[index] = base - place * step
            geometry.room[index] = step if len(links) > 1 else bottom - top
    for index in geometry.board:
        first = rows[geometry.plan.links[index].end, geometry.strand(index)]
        ends[index], geometry.room[index] = ends[first], geometry.room[first]
    return starts, ends
