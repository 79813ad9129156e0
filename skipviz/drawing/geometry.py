"""The pixels of one diagram: the y of every row and gap, the x of every lane, the corners of every skip.

Layouts place them: `column`, `beside`, `ushape`, `layered`. y grows downwards as in SVG; the network's input is at the bottom.
Imports the standard library only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from .lanes import LEFT, RIGHT, Lane
from .rows import COLLAPSED, DENSE, DENSE_TOUCH, FIGURE, Dimensions, Link, Place, Plan

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
    loose: Dimensions = FIGURE
    """The furthest."""


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
STYLES["aligned lab"] = replace(STYLES["lab"], box_width=54, left=34, right=10, gain=14, pitch=11)
"""One of several diagrams that stand side by side."""
STYLES |= {
    "compact figure": replace(STYLES["figure"], **COMPACT, pitch=13),
    "compact lab": replace(STYLES["lab"], **COMPACT),
}

LEAST_PITCH = 4
"""px between lanes below which two lines cannot be told apart."""

WIDEST_LANES = 104
"""px a side that lanes take before their pitch shrinks."""

MOST_LANES = 36
"""Lanes a side; what would lie further out shares the outermost, so that the width stays bounded."""

COLLAPSED_LEFT, COLLAPSED_RIGHT = 22, 9
"""How far a collapsed group reaches past its boxes, px: on the left it holds the mini-lane."""
COLLAPSED_REACH = {LEFT: COLLAPSED_LEFT, RIGHT: COLLAPSED_RIGHT}

HEAD_HEIGHT = 13
"""px of the stub that stands for the head where a concat is read by it."""

LABEL_GAP = 3.5
"""px between a box and the words on a line beside it."""

TRUNK_EDGE = 0.9
"""Skips end this far from the trunk's middle, px, so that its wire stays whole."""

Point = tuple[float, float]


@dataclass
class Geometry:
    """Pixels of one diagram. Lists follow the plan's items, gaps and links, lowest first."""

    shape: ClassVar[str] = "column"
    """Name of the layout."""
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
    inputs: dict[str, float] = field(default_factory=dict)
    """By further input that has a line of its own from below, its x."""
    bus: float = 0.0
    """px that lines along those take, on the side that has more of them."""
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
        side, passed = self.lanes[link].side, passes_collapsed(self.plan, self.plan.links[link])
        reach = COLLAPSED_REACH[side] if passed else 0
        return self.lane_x(Lane(side, -1)) + (-reach if side == LEFT else reach)

    def leg(self, link: int) -> tuple[Point, Point]:
        """Return the ends of the leg that runs along a link's lane."""
        x, path = self.lane_x(self.lanes[link]), self.paths[link]
        return next((leg for leg in pairwise(path) if leg[0][0] == leg[1][0] == x), (path[-2], path[-1]))


def passes_collapsed(plan: Plan, link: Link) -> bool:
    """Return whether a link runs along a whole collapsed group."""
    groups = (Place(COLLAPSED, index).position for index, item in enumerate(plan.items) if item.kind == "collapsed")
    return any(link.span.low < position < link.span.high for position in groups)
