"""From the row table to the pixels of a U: a level for each scale, the way down on the left, the way up on the right.

What stands at one height on both arms, a level's edge or a skip between equal scales, is an anchor; between two anchors
the trunk of the shorter arm stretches. Imports the network only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..network.scales import Scales
from .between import Between, blocks_between, openable, place_between
from .geometry import HEAD_HEIGHT, LEAST_PITCH, TRUNK_EDGE, WIDEST_LANES, Geometry, Point, Style
from .lanes import LEFT, RIGHT, Lane, Span, nested
from .rows import BOX, FIGURE, HEAD, JOINT, Dimensions, Plan
from .scale_grid import ScaleGrid

MIDDLE, COMPACT_MIDDLE = 168, 148
"""px between the two arms: an edge label and a skip's ring fit."""
MARGIN = 9
"""px of trunk on both sides of a level's edge, at least."""
TURN = 15
"""px that the trunk turns below both arms."""
FIT_STEPS = 12
"""Halvings by which rows are fitted to the height: finer than a hundredth of a pixel."""

Key = tuple
"""What a piece of an arm or a mark on it is: `("box", k)`, `("level", number)`, `("tap", gap, place)`, …"""


@dataclass
class Arm:
    """One way of the U, from the top down: pieces with their least height, of which the free ones may grow, and marks."""

    pieces: list[tuple[Key | None, float, bool]] = field(default_factory=list)

    def fixed(self, key: Key, height: float) -> None:
        """Add a piece whose middle is marked by `("middle", *key)`."""
        self.pieces += [(key, height / 2, False), (("middle", *key), 0.0, False), (key, height / 2, False)]

    def free(self, height: float) -> None:
        self.pieces.append((None, height, True))

    def mark(self, key: Key) -> None:
        self.pieces.append((key, 0.0, False))

    def sections(self, marks: Iterable[Key]) -> list[list[tuple[Key | None, float, bool]]]:
        """Return the pieces between `marks`, each mark at the end of its section."""
        wanted, found = set(marks), [[]]
        for piece in self.pieces:
            found[-1].append(piece)
            if piece[0] in wanted:
                found.append([])
        return found


@dataclass
class UGeometry(Geometry):
    """Pixels of a U; what Geometry knows of one trunk it knows of two. `trunk` is that of the way up."""

    shape = "u"
    scales: Scales | None = None
    down: float = 0.0
    """x of the trunk of the way down."""
    down_gain: float = 0.0
    bottom: float = 0.0
    """y at which the trunk turns."""
    edges: list[float] = field(default_factory=list)
    """y of the edges between levels, from the top."""
    flat: dict[int, float] = field(default_factory=dict)
    """Link → y, of links that run straight across between equal scales."""
    needs: dict[Key, tuple[float, float]] = field(default_factory=dict)
    """By tap of a straight link, px that the branch unfolded on it needs above and below."""

    def on_way_down(self, item: int) -> bool:
        return item < self.scales.turn

    def trunk_at(self, item: int) -> float:
        return self.down if self.on_way_down(item) else self.trunk

    def gain_at(self, item: int) -> float:
        return self.down_gain if self.on_way_down(item) else self.gain

    def state_place(self, gap: int) -> Point:
        taps = self.gap_taps(gap)
        if gap == self.scales.turn and not taps:
            return (self.down + self.trunk) / 2, self.bottom
        return self.trunk_at(gap), taps[0] if taps else sum(self.gaps[gap]) / 2

    def gap_taps(self, gap: int) -> list[float]:
        """Return the y of the taps in a gap, in the order in which the signal passes them."""
        taps = super().gap_taps(gap)
        return taps[::-1] if self.on_way_down(gap) else taps

    def across(self, link: int) -> bool:
        """Return whether a link leaves the way down and joins the way up."""
        return self.source(link) < self.scales.turn and not self.on_way_down(_end_item(self.plan, link))

    def source(self, link: int) -> int:
        """Return the state that a link leaves from."""
        return self.plan.network.skips[self.plan.links[link].skips[0]].source

    def leg(self, link: int) -> tuple[Point, Point]:
        if self.plan.is_unfolded(self.plan.links[link]):
            return self.paths[link][-2], self.paths[link][-1]
        if not self.across(link):
            return super().leg(link)
        (_, y), (x, _) = self.paths[link][:2]
        half = self.style.box_width / 2
        return (self.down + half, y), (min(x, self.trunk - half), y)

    def lane_x(self, lane: Lane) -> float:
        offset = self.style.box_width / 2 + (lane.index + 1) * self.pitch
        return self.down - offset if lane.side == LEFT else self.trunk + offset


def lay_out_u(plan: Plan, scales: Scales, style: Style, height: float, label: float = 0.0, compact: bool = False) -> UGeometry:
    """Return the pixels of `plan` as a U in `height` px, more where the densest rows need it; `label` is the widest edge label."""
    geometry = _columns(plan, scales, style, label, compact)
    geometry.height, room = height, height - style.top - style.bottom - TURN
    geometry.flat = dict.fromkeys(_straight(geometry), 0.0)
    placings = blocks_between(geometry)
    _widen(geometry, placings)
    low, high = 0.0, 1.0
    for _ in range(FIT_STEPS):
        share = (low + high) / 2
        low, high = (share, high) if _arms(geometry, style.dense.between(FIGURE, share))[1] <= room else (low, share)
    dimensions = style.dense.between(FIGURE, low)
    geometry.dimensions = dimensions
    geometry.band = max(2.0, min(style.band, geometry.pitch - 4, dimensions.tap))
    arms, used = _arms(geometry, dimensions)
    geometry.height = max(height, used + style.top + style.bottom + TURN)
    _stack(geometry, arms, style.top + (geometry.height - used - style.top - style.bottom - TURN) / 2)
    _route(geometry)
    place_between(geometry, placings)
    return geometry


def openable_in_u(plan: Plan, scales: Scales, style: Style) -> set[str]:
    """Return, of the branches that `plan` unfolds, the last nodes of those that a U can draw open."""
    geometry = _columns(plan, scales, style, 0.0, False)
    geometry.flat = dict.fromkeys(_straight(geometry), 0.0)
    return openable(geometry)


def _widen(geometry: UGeometry, placings: list[Between | ScaleGrid]) -> None:
    """Make room between the two ways for the blocks that are unfolded there."""
    middle = geometry.trunk - geometry.down - geometry.style.box_width
    more = round(max(0.0, max((one.needed for one in placings), default=0) - middle))
    geometry.trunk, geometry.gain, geometry.width = geometry.trunk + more, geometry.gain + more, geometry.width + more
    places = _tap_places(geometry)
    for link, needed in ((link, needed) for one in placings for link, needed in one.needs.items()):
        geometry.needs["tap", geometry.source(link), places[geometry.source(link)][link]] = needed


def _end_item(plan: Plan, link: int) -> int:
    """Return the item at which a link ends; the head counts as the last one."""
    return min(plan.links[link].end.index, len(plan.items) - 1)


def _columns(plan: Plan, scales: Scales, style: Style, label: float, compact: bool) -> UGeometry:
    """Return a geometry whose columns are placed and whose rows are not."""
    blank = Dimensions(0, 0, 0, 0, 0, 0)
    geometry = UGeometry(plan, style, blank, 0, 0, 0, style.pitch, 0, 0, scales=scales)
    lanes: list[Lane | None] = [None] * len(plan.links)
    groups: dict[str, list[int]] = {LEFT: [], RIGHT: []}
    for link in range(len(plan.links)):
        if geometry.across(link):
            lanes[link] = Lane(LEFT, 0)
        else:
            groups[LEFT if geometry.on_way_down(_end_item(plan, link)) else RIGHT].append(link)
    count = {}
    for side, links in groups.items():
        spans = [plan.links[link].span for link in links]
        for link, index in zip(links, nested(spans), strict=True):
            lanes[link] = Lane(side, index)
        count[side] = max((lanes[link].index + 1 for link in links), default=0)
    geometry.lanes = lanes
    geometry.pitch = max(LEAST_PITCH, min(style.pitch, WIDEST_LANES / max(1, *count.values())))
    jogs = sum(geometry.across(link) for link in range(len(plan.links)))
    middle = max(COMPACT_MIDDLE if compact else MIDDLE, label + 46, min(jogs, 8) * geometry.pitch + 30)
    room = {side: max(6, number * geometry.pitch + (label / 2 if number else 0)) for side, number in count.items()}
    geometry.down_gain = style.gain
    geometry.down = round(2 * style.gain + room[LEFT] + style.box_width / 2)
    geometry.trunk = round(geometry.down + style.box_width + middle)
    geometry.gain = geometry.trunk + style.box_width / 2 + room[RIGHT] + style.gain
    geometry.width = round(geometry.gain + style.gain + 8)
    return geometry


def _straight(geometry: UGeometry) -> list[int]:
    """Return the most links that can all run straight across: between equal scales, each inside the one before."""
    levels, plan = geometry.scales.levels, geometry.plan
    skips = {link: plan.network.skips[plan.links[link].skips[0]] for link in range(len(plan.links)) if geometry.across(link)}
    ordered = sorted(skips, key=lambda link: (skips[link].source, skips[link].target))
    ends: list[tuple[int, list[int]]] = []
    for link in ordered:
        skip = skips[link]
        if levels[skip.source] != levels[skip.target]:
            continue
        inside = [chain for _, chain in ends if _contains(skips[chain[-1]], skip)]
        chain = [*max(inside, key=len, default=[]), link]
        ends.append((len(chain), chain))
    return max(ends, default=(0, []), key=lambda end: end[0])[1]


def _contains(outer, inner) -> bool:
    return outer.source < inner.source and inner.target < outer.target


def _end_key(plan: Plan, link: int) -> Key:
    """Return the piece that a link ends at."""
    end = plan.links[link].end
    return ("head",) if end.kind == HEAD else (end.kind, end.index)


def _tap_places(geometry: UGeometry) -> dict[int, dict[int, int]]:
    """Return by gap each link's place among the taps, in the order in which the signal passes them."""
    skips, plan = geometry.plan.network.skips, geometry.plan
    places: dict[int, dict[int, int]] = defaultdict(dict)
    sides: dict[tuple[int, bool], list[int]] = defaultdict(list)
    for link in range(len(plan.links)):
        sides[geometry.source(link), geometry.across(link)].append(link)
    for (gap, across), links in sides.items():
        key = (lambda link: -skips[plan.links[link].skips[0]].target) if across else (lambda link: -geometry.lanes[link].index)
        for place, link in enumerate(sorted(links, key=key)):
            places[gap][link] = place
    return places


def _arms(geometry: UGeometry, d: Dimensions) -> tuple[tuple, float]:
    """Return the sections of both arms, and the height that they take together."""
    places = _tap_places(geometry)
    down, up = _way_down(geometry, d, places), _way_up(geometry, d, places)
    anchors = [(("level", number), ("level", number)) for number in range(1, geometry.scales.count)]
    for link in geometry.flat:
        tap = ("tap", geometry.source(link), places[geometry.source(link)][link])
        anchors.append((tap, ("middle", *_end_key(geometry.plan, link))))
    left, right = (arm.sections(pair[side] for pair in anchors) for side, arm in enumerate((down, up)))
    heights = [max(sum(piece[1] for piece in part) for part in pair) for pair in zip(left, right, strict=True)]
    for number, section in enumerate(left):
        if section and section[-1][0] in geometry.needs:
            above, below = geometry.needs[section[-1][0]]
            heights[number : number + 2] = max(heights[number], above), max(heights[number + 1], below)
    return (left, right, heights), sum(heights)


def _way_down(geometry: UGeometry, d: Dimensions, places) -> Arm:
    arm, levels = Arm(), geometry.scales.levels
    for k in range(geometry.scales.turn):
        _add_gap(arm, geometry, k, d, places, reverse=False)
        arm.fixed((BOX, k), d.box)
        _add_edges(arm, range(levels[k] + 1, levels[k + 1] + 1))
        if k in geometry.plan.joints:
            arm.free(d.stub)
            arm.fixed((JOINT, k), d.joint)
    arm.free(d.gap)
    return arm


def _way_up(geometry: UGeometry, d: Dimensions, places) -> Arm:
    arm, plan, levels = Arm(), geometry.plan, geometry.scales.levels
    if plan.head:
        arm.free(0)
        arm.fixed(("head",), HEAD_HEIGHT)
    for k in reversed(range(geometry.scales.turn, len(plan.items))):
        _add_gap(arm, geometry, k + 1, d, places, reverse=True)
        if k in plan.joints:
            arm.fixed((JOINT, k), d.joint)
            arm.free(d.stub)
        _add_edges(arm, range(levels[k + 1] + 1, levels[k] + 1))
        arm.fixed((BOX, k), d.box)
    _add_gap(arm, geometry, geometry.scales.turn, d, places, reverse=True)
    return arm


def _add_gap(arm: Arm, geometry: UGeometry, gap: int, d: Dimensions, places, reverse: bool) -> None:
    taps = max(places.get(gap, {}).values(), default=-1) + 1
    if not taps:
        arm.free(d.gap)
        return
    arm.free(d.tap / 2)
    for place in reversed(range(taps)) if reverse else range(taps):
        if place != (taps - 1 if reverse else 0):
            arm.free(d.level)
        arm.mark(("tap", gap, place))
    arm.free(d.tap / 2)


def _add_edges(arm: Arm, levels: range) -> None:
    for number in levels:
        arm.free(MARGIN)
        arm.mark(("level", number))
    if levels:
        arm.free(MARGIN)


def _stack(geometry: UGeometry, arms: tuple, top: float) -> None:
    """Place every piece: what one arm has less between two anchors, its free pieces share."""
    *sides, heights = arms
    found: dict[Key, tuple[float, float]] = {}
    for sections in sides:
        y = top
        for pieces, height in zip(sections, heights, strict=True):
            free = sum(piece[2] for piece in pieces)
            spare = (height - sum(piece[1] for piece in pieces)) / max(1, free)
            for key, least, grows in pieces:
                after = y + least + (spare if grows else 0)
                if key is not None:
                    found[key] = (found[key][0] if key in found else y, after)
                y = after
    geometry.bottom = top + sum(heights) + TURN
    plan, turn = geometry.plan, geometry.scales.turn
    geometry.items = [found[BOX, index] for index in range(len(plan.items))]
    geometry.joints = {item: found[JOINT, item] for item in plan.joints}
    geometry.head = found.get(("head",))
    geometry.edges = [found["level", number][0] for number in range(1, geometry.scales.count)]
    geometry.taps = [found["tap", gap, place][0] for gap, place in _places_by_link(geometry)]
    for link in geometry.flat:
        geometry.flat[link] = geometry.taps[link]
    stub = top - geometry.style.stub_top
    for gap in range(len(plan.gaps)):
        before = stub if gap == 0 else _exit(geometry, gap - 1)
        if gap == turn:
            geometry.gaps.append((geometry.items[gap][1], geometry.bottom))
        elif gap == len(plan.items):
            geometry.gaps.append((stub, before))
        else:
            after = geometry.items[gap][0 if geometry.on_way_down(gap) else 1]
            geometry.gaps.append((min(before, after), max(before, after)))


def _places_by_link(geometry: UGeometry) -> list[tuple[int, int]]:
    places = _tap_places(geometry)
    return [(geometry.source(link), places[geometry.source(link)][link]) for link in range(len(geometry.plan.links))]


def _exit(geometry: UGeometry, item: int) -> float:
    """Return the y at which the trunk leaves an item and the joint behind it."""
    return geometry.joints.get(item, geometry.items[item])[1 if geometry.on_way_down(item) else 0]


def _route(geometry: UGeometry) -> None:
    """Find every link's corners: along a lane outside of its arm, straight across, or across by a lane in the middle."""
    ends = _ends(geometry)
    jogs = _jogs(geometry, ends)
    for link in range(len(geometry.plan.links)):
        lane, tap, end = geometry.lanes[link], geometry.taps[link], ends[link]
        target = geometry.trunk_at(_end_item(geometry.plan, link))
        outward = -1 if lane.side == LEFT else 1
        last = (target + outward * _reach(geometry, link), end)
        if not geometry.across(link):
            x = geometry.lane_x(lane)
            geometry.paths.append([(target + outward * TRUNK_EDGE, tap), (x, tap), (x, end), last])
        else:
            start = (geometry.down + TRUNK_EDGE, tap)
            bend = [] if link in geometry.flat else [(jogs[link], tap), (jogs[link], end)]
            geometry.paths.append([start, *bend, last])


def _reach(geometry: UGeometry, link: int) -> float:
    """Return how far from the trunk a link ends."""
    kind = geometry.plan.links[link].end.kind
    return {JOINT: geometry.dimensions.joint / 2, HEAD: geometry.style.box_width / 4}.get(kind, geometry.style.box_width / 2)


def _ends(geometry: UGeometry) -> list[float]:
    """Return each link's y at its end, apart from others that end on the same side; a straight one ends in the middle."""
    plan, skips = geometry.plan, geometry.plan.network.skips
    groups: dict[tuple, list[int]] = defaultdict(list)
    for link in range(len(plan.links)):
        groups[_end_key(plan, link), geometry.lanes[link].side].append(link)
    ends = [0.0] * len(plan.links)
    for (key, _), links in groups.items():
        top, bottom = geometry.head if key == ("head",) else (geometry.joints if key[0] == JOINT else geometry.items)[key[1]]
        ordered = sorted(
            links,
            key=lambda link: skips[plan.links[link].skips[0]].source,
            reverse=geometry.on_way_down(key[-1] if key[1:] else len(plan.items)),
        )
        fixed = next((place for place, link in enumerate(ordered) if link in geometry.flat), None)
        base = (len(links) - 1) / 2 if fixed is None else fixed
        step = min(geometry.band + 2, (bottom - top - 2) / (2 * max(base, len(links) - 1 - base) + 0.4))
        for place, link in enumerate(ordered):
            ends[link] = (top + bottom) / 2 + (place - base) * step
            geometry.room[link] = step if len(links) > 1 else bottom - top
    return ends


def _jogs(geometry: UGeometry, ends: list[float]) -> dict[int, float]:
    """Return the x of the lanes between the arms, of links that go across from one height to another."""
    links = [link for link in range(len(ends)) if geometry.across(link) and link not in geometry.flat]
    spans = [Span(*sorted((geometry.taps[link], ends[link]))) for link in links]
    first = geometry.trunk - geometry.style.box_width / 2 - geometry.pitch
    return {link: first - min(lane, 7) * geometry.pitch for link, lane in zip(links, nested(spans), strict=True)}
