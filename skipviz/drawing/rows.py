"""The row table: what stands where along the trunk, lowest first, before anything has a pixel.

Items (boxes and collapsed groups) alternate with gaps, where a state is; links are the skips that are seen, each from a place
to a place. The diagram, the charts and the table share these rows. Imports the network only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from ..network.branch import Beside
from ..network.merge import MERGES
from ..network.network import Network
from .fold import Item
from .lanes import Span

TAP, SIDE, COLLAPSED, JOINT, BOX, HEAD = "tap", "side", "collapsed", "joint", "box", "head"


@dataclass(frozen=True)
class Dimensions:
    """Heights along the trunk in px."""

    box: float
    gap: float
    stub: float
    joint: float
    tap: float
    level: float
    """What one more tap on the same side adds to a gap."""

    def between(self, other: Dimensions, share: float) -> Dimensions:
        """Return the dimensions at `share` (0..1) of the way to `other`."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__dataclass_fields__)
        return Dimensions(*(a + (b - a) * share for a, b in pairs))


FIGURE = Dimensions(box=33, gap=18, stub=17, joint=26, tap=18, level=11)
"""As in the book's figure."""

DENSE = Dimensions(box=15.5, gap=4.5, stub=1, joint=11, tap=6.8, level=6.8)
"""The closest that stays legible: 24 layers with 12 joints take 688 px."""

DENSE_TOUCH = Dimensions(box=19.5, gap=4.5, stub=1, joint=12, tap=6.8, level=6.8)
"""The closest that a finger tells apart: 24 px from one box's middle to the next."""


@dataclass(frozen=True)
class Place:
    """An end of a link: `kind` at item or gap `index`, both counted from the lowest."""

    kind: str
    index: int

    @property
    def position(self) -> float:
        """Order along the trunk: tap of gap g at 4g + 2, item i at 4(i + 1), its joint just above it."""
        if self.kind == TAP:
            return 4 * self.index + 2
        return 4 * (self.index + 1) + (1 if self.kind == JOINT else 0)


COLLAPSED_EDGE = 0.4
"""Links stop this far before a collapsed group's position, so that they do not count as passing it."""


@dataclass(frozen=True)
class Link:
    """One red line: the skips (indices into the network's) that it stands for."""

    skips: tuple[int, ...]
    start: Place
    end: Place

    @property
    def span(self) -> Span:
        low = self.start.position + (COLLAPSED_EDGE if self.start.kind == COLLAPSED else 0)
        return Span(low, self.end.position - (COLLAPSED_EDGE if self.end.kind == COLLAPSED else 0))

    @property
    def crosses_fold(self) -> bool:
        """Whether an end lies inside a collapsed group."""
        return COLLAPSED in (self.start.kind, self.end.kind)


@dataclass
class Plan:
    """The row table. `gaps[g]` holds the states between item g − 1 and item g, several in a folded stack."""

    network: Network
    items: tuple[Item, ...]
    gaps: tuple[tuple[int, ...], ...]
    links: tuple[Link, ...] = ()
    joints: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """Item → skips that join just above it."""
    inside: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """Collapsed group's item → skips that lie wholly inside it."""
    head: tuple[int, ...] = ()
    """Skips that the head reads."""
    unfolded: tuple[str, ...] = ()
    """The last boxes of branches that are unfolded where they can be."""
    beside: frozenset[str] = frozenset()
    """The nodes of those branches."""
    spacing: dict[int, float] = field(default_factory=dict)
    """Gap → px that it is higher than it need be, so that rows stand beside those of another table."""

    def is_unfolded(self, link: Link) -> bool:
        """Return whether a link leaves from a branch's box that is drawn."""
        return self.network.skips[link.skips[0]].via in self.beside and not link.crosses_fold

    @cached_property
    def leaving(self) -> dict[int, list[int]]:
        """Gap → links that leave from its state, from the trunk or from the side of the box below."""
        found: dict[int, list[int]] = {}
        for index, link in enumerate(self.links):
            if link.start.kind in (TAP, SIDE):
                found.setdefault(link.start.index + (link.start.kind == SIDE), []).append(index)
        return found

    def merge_at(self, item: int) -> str:
        """Return the merge of the joint above an item: of several that land there, one that does more than add."""
        found = [self.network.skips[index].merge for index in self.joints[item]]
        return next((name for name in found if not MERGES[name].sums), found[0])

    def feeds(self, gap: int) -> tuple[int, ...]:
        """Return indices into `trunk_grad` of the layers that read the states of `gap`."""
        return tuple(state for state in self.gaps[gap] if state < self.network.depth)


def plan(network: Network, items: Sequence[Item], repeat: int = 1, unfolded: Iterable[str] = ()) -> Plan:
    """Return the row table of `network` drawn as `items`; with `repeat`, these are one unit of a stack.

    The branches that end in the nodes `unfolded`, and all that those read, are drawn box by box.
    """
    items = tuple(items)
    unit = network.depth // repeat
    boundaries = [0, *(item.last + 1 for item in items)]
    gaps = tuple(tuple(state + number * unit for number in range(repeat)) for state in boundaries)
    vias = tuple(sorted({*unfolded} & {skip.via for skip in network.skips}))
    made = Plan(network, items, gaps, unfolded=vias, beside=beside_nodes(network, vias))
    finder = _Finder(items)
    grouped: dict[tuple[Place, Place, str], list[int]] = {}
    joints: dict[int, list[int]] = {}
    inside: dict[int, list[int]] = {}
    for index, skip in enumerate(network.skips):
        number = skip.source // unit
        source, target = skip.source - number * unit, skip.target - number * unit
        start, end = finder.start(source), finder.end(target, skip.joins)
        group = finder.holding(source, end)
        if group is not None:
            inside.setdefault(group, []).append(index)
            continue
        via = skip.via if COLLAPSED not in (start.kind, end.kind) else ""
        grouped.setdefault((start, end, via if via in made.beside else via.partition(".")[0]), []).append(index)
        if end.kind == JOINT:
            joints.setdefault(end.index, []).append(index)
    links = [Link(tuple(skips), start, end) for (start, end, _), skips in grouped.items()]
    made.links = _side_taps(links, _plain_boxes(items, joints))
    made.joints = {item: tuple(skips) for item, skips in joints.items()}
    made.inside = {item: tuple(skips) for item, skips in inside.items()}
    made.head = tuple(index for link in made.links if link.end.kind == HEAD for index in link.skips)
    return made


def branch_ends(network: Network) -> set[str]:
    """Return the ids of the nodes from which skips leave: each the last of a branch."""
    return {skip.via for skip in network.skips} - {""}


def beside_nodes(network: Network, vias: Iterable[str]) -> frozenset[str]:
    """Return the ids of the nodes of the branches that end in `vias`."""
    found = Beside(network) if vias else None
    return frozenset(node.id for via in vias for node in found.feeding(via))


class _Finder:
    """Where states and layers of one unit stand among the items."""

    def __init__(self, items: Sequence[Item]):
        self.item_of = {layer: index for index, item in enumerate(items) for layer in range(item.first, item.last + 1)}
        self.gap_of = {0: 0, **{item.last + 1: index + 1 for index, item in enumerate(items)}}
        self.items = items

    def start(self, state: int) -> Place:
        if state in self.gap_of:
            return Place(TAP, self.gap_of[state])
        return Place(COLLAPSED, self.item_of[state])

    def end(self, state: int, joins: bool) -> Place:
        if joins:
            if state not in self.item_of:
                return Place(HEAD, len(self.items))
            item, kind = self.item_of[state], BOX
        else:
            item, kind = self.item_of[state - 1], JOINT
        return Place(COLLAPSED if self.items[item].kind == "collapsed" else kind, item)

    def holding(self, source: int, end: Place) -> int | None:
        """Return the collapsed group that holds a skip wholly: it starts at its lower edge or inside and ends inside."""
        return end.index if end.kind == COLLAPSED and source >= self.items[end.index].first else None


def _plain_boxes(items: Sequence[Item], joints) -> set[int]:
    return {index for index, item in enumerate(items) if item.kind == "box" and index not in joints}


def _side_taps(links: list[Link], plain: set[int]) -> tuple[Link, ...]:
    """Return the links, where those of each group of pairwise nested skips leave from their box's side."""
    changed = list(links)
    order = sorted(range(len(links)), key=lambda index: (links[index].span.low, -links[index].span.high))
    place = 0
    while place < len(order):
        reach, group = links[order[place]].span.high, [order[place]]
        while place + len(group) < len(order) and links[order[place + len(group)]].span.low <= reach:
            group.append(order[place + len(group)])
            reach = max(reach, links[group[-1]].span.high)
        place += len(group)
        if _leaves_from_sides([links[index] for index in group], plain):
            for index in group:
                link = links[index]
                changed[index] = Link(link.skips, Place(SIDE, link.start.index - 1), link.end)
    return tuple(changed)


def _leaves_from_sides(group: list[Link], plain: set[int]) -> bool:
    """Return whether at least two links, each strictly inside the one before, all leave a box without a joint."""
    if len(group) < 2:
        return False
    nested = all(a.span.low < b.span.low and b.span.high < a.span.high for a, b in pairwise(group))
    return nested and all(
        link.start.kind == TAP and link.start.index - 1 in plain and link.end.kind in (BOX, HEAD) for link in group
    )
