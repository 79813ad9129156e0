"""The column: from the row table to the pixels of one trunk with its skips beside it. Imports the network only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from .boards import board_of, boards
from .geometry import (
    COLLAPSED_LEFT,
    COLLAPSED_REACH,
    COLLAPSED_RIGHT,
    HEAD_HEIGHT,
    LABEL_GAP,
    LEAST_PITCH,
    MOST_LANES,
    TRUNK_EDGE,
    WIDEST_LANES,
    Geometry,
    Point,
    Style,
    passes_collapsed,
)
from .lanes import LEFT, RIGHT, Lane, Span, assign
from .rows import BOX, COLLAPSED, HEAD, JOINT, SIDE, TAP, Dimensions, Link, Place, Plan

LEAST_BOARD_PITCH = 6
"""px between the lanes of a switchboard: two dots still lie beside each other."""

COLLAPSED_SHARE = 0.45
"""Part of the height that collapsed groups take where rows can give it."""

LEAST_COLLAPSED = 60
"""px of a collapsed group below which its label and stripes no longer fit."""

LEAST_LABEL = 50
"""px that are kept for words, if there are any: a strength can change its sign and digits, and no box moves."""


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
    spacing = plan.spacing.get(gap, 0.0)
    if gap == len(plan.gaps) - 1:
        return spacing + (0.0 if not plan.head else dimensions.gap + HEAD_HEIGHT)
    if levels[gap]:
        return spacing + dimensions.tap + (levels[gap] - 1) * dimensions.level
    return spacing + (0.0 if gap == 0 else dimensions.gap)


def _total(plan: Plan, style: Style, levels: list[int], dimensions: Dimensions) -> float:
    """Return the height of everything but collapsed groups."""
    boxes = sum(1 for item in plan.items if item.kind == "box")
    joints = len(plan.joints) * (dimensions.stub + dimensions.joint)
    gaps = sum(_gap_height(plan, style, levels, gap, dimensions) for gap in range(len(plan.gaps)))
    return style.top + style.bottom + boxes * dimensions.box + joints + gaps


def _fit(plan: Plan, style: Style, levels: list[int], height: float) -> tuple[Dimensions, dict[int, float]]:
    """Return the dimensions that fill `height` and each collapsed group's height."""
    blocks = {index: item.blocks for index, item in enumerate(plan.items) if item.kind == "collapsed"}
    low, high = (_total(plan, style, levels, dimensions) for dimensions in (style.dense, style.loose))
    room = height * (1 - COLLAPSED_SHARE) if blocks else height
    share = min(1.0, max(0.0, (room - low) / max(1e-9, high - low)))
    dimensions = style.dense.between(style.loose, share)
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
            reach = COLLAPSED_REACH[lane.side] if passes_collapsed(plan, link) else 0
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
