"""On which side of the trunk a skip runs, and in which lane. Imports the standard library only.

Skips that interleave would cross on one side, so they are put on two: the conflict graph (interleaving weighs 10, a
shared end 3) is coloured greedily from the longest skip, left first, and then improved. A lane lies outside every
skip that its own contains, so that nested skips nest. On Figure 4.9 this gives the book's sides.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

LEFT, RIGHT = "left", "right"

INTERLEAVED, SHARED = 10, 3
"""Weights of a conflict: a crossing disturbs more than two lines that leave from or land at one place."""

CROWD = 1000
"""Spans above which no eye follows a line: sides then alternate and lanes fill up, at once instead of after minutes."""

SWEEPS = 4
"""Passes of local improvement; more than two have not changed any pattern that was tried."""


@dataclass(frozen=True, slots=True)
class Span:
    """What a skip covers along the trunk: ordered positions, lower end first."""

    low: float
    high: float

    @property
    def length(self) -> float:
        return self.high - self.low

    def touches(self, other: Span) -> bool:
        """Return whether the two share a position."""
        return self.low <= other.high and other.low <= self.high

    def contains(self, other: Span) -> bool:
        """Return whether `other` lies within this one, ends included."""
        return self.low <= other.low and other.high <= self.high

    def interleaves(self, other: Span) -> bool:
        """Return whether each has one end strictly inside the other."""
        return self.low < other.low < self.high < other.high or other.low < self.low < other.high < self.high


@dataclass(frozen=True, slots=True)
class Lane:
    """A skip's place: side, and the lane's number outwards from 0."""

    side: str
    index: int


def assign(spans: Sequence[Span], blocked: Sequence[Span] = (), boards: Sequence[Sequence[int]] = ()) -> list[Lane]:
    """Return the lane of each span, in their order; lane 0 of both sides is taken where `blocked` lies.

    The spans of one of the `boards` (indices) run on one side, those that begin at one place in one lane.
    """
    on_boards = {index for board in boards for index in board}
    strands = [([index], span) for index, span in enumerate(spans) if index not in on_boards]
    wholes = [span for _, span in strands]
    places = list(range(len(strands)))
    for board in boards:
        whole = Span(min(spans[index].low for index in board), max(spans[index].high for index in board))
        begins: dict[float, list[int]] = defaultdict(list)
        for index in board:
            begins[spans[index].low].append(index)
        for low, members in sorted(begins.items()):
            strands.append((members, Span(low, whole.high)))
            places.append(len(wholes))
        wholes.append(whole)
    chosen = sides(wholes)
    lanes = _first_fit([span for _, span in strands], [chosen[place] for place in places], blocked)
    found = {
        index: Lane(chosen[place], lane)
        for (members, _), place, lane in zip(strands, places, lanes, strict=True)
        for index in members
    }
    return [found[index] for index in range(len(spans))]


def nested(spans: Sequence[Span]) -> list[int]:
    """Return the lane of each span where all run on one side."""
    return _first_fit(spans, [LEFT] * len(spans), ())


def sides(spans: Sequence[Span]) -> list[str]:
    """Return the side of each span."""
    if len(spans) > CROWD:
        order = sorted(range(len(spans)), key=lambda index: (spans[index].low, spans[index].high, index))
        turns = {index: place % 2 for place, index in enumerate(order)}
        return [RIGHT if turns[index] else LEFT for index in range(len(spans))]
    conflicts = _conflicts(spans)
    order = sorted(range(len(spans)), key=lambda index: (-spans[index].length, spans[index].low, index))
    rank = {index: place for place, index in enumerate(order)}
    colouring = _Colouring(conflicts)
    for start in order:
        queue = deque([start])
        while queue:
            index = queue.popleft()
            if index in colouring.chosen:
                continue
            colouring.put(index, LEFT if colouring.cost(index, LEFT) <= colouring.cost(index, RIGHT) else RIGHT)
            queue += sorted((other for other in conflicts[index] if other not in colouring.chosen), key=rank.__getitem__)
    for _ in range(SWEEPS):
        if not colouring.improve(order):
            break
    return [colouring.chosen[index] for index in range(len(spans))]


class _Colouring:
    """Sides chosen so far, with what each choice would cost every span."""

    def __init__(self, conflicts: dict[int, dict[int, int]]):
        self.conflicts = conflicts
        self.chosen: dict[int, str] = {}
        self.costs: dict[str, dict[int, int]] = {LEFT: defaultdict(int), RIGHT: defaultdict(int)}

    def cost(self, index: int, side: str) -> int:
        return self.costs[side][index]

    def put(self, index: int, side: str) -> None:
        before = self.chosen.get(index)
        self.chosen[index] = side
        for other, weight in self.conflicts[index].items():
            self.costs[side][other] += weight
            if before:
                self.costs[before][other] -= weight

    def improve(self, order: list[int]) -> bool:
        """Move every span that conflicts less on the other side; return whether any did."""
        moved = False
        for index in order:
            other = RIGHT if self.chosen[index] == LEFT else LEFT
            if self.cost(index, other) < self.cost(index, self.chosen[index]):
                self.put(index, other)
                moved = True
        return moved


def _conflicts(spans: Sequence[Span]) -> dict[int, dict[int, int]]:
    conflicts: dict[int, dict[int, int]] = defaultdict(dict)
    active: list[tuple[float, int]] = []
    for index in sorted(range(len(spans)), key=lambda number: spans[number].low):
        span = spans[index]
        del active[: bisect_left(active, (span.low, -1))]
        for _, other in active:
            weight = _weight(span, spans[other])
            if weight:
                conflicts[index][other] = conflicts[other][index] = weight
        insort(active, (span.high, index))
    return conflicts


def _weight(one: Span, other: Span) -> int:
    if one.interleaves(other):
        return INTERLEAVED
    return SHARED if one.low == other.low or one.high == other.high else 0


def _first_fit(spans: Sequence[Span], chosen: list[str], blocked: Sequence[Span]) -> list[int]:
    if len(spans) > CROWD:
        return _filled(spans, chosen, 1 if blocked else 0)
    lanes = [0] * len(spans)
    placed: dict[str, list[list[Span]]] = {LEFT: [list(blocked)], RIGHT: [list(blocked)]}
    for index in sorted(range(len(spans)), key=lambda number: (spans[number].length, spans[number].low, number)):
        span, rows = spans[index], placed[chosen[index]]
        lane = 0
        for number, row in enumerate(rows):
            if any(span.contains(other) for other in row):
                lane = number + 1
        while lane < len(rows) and any(span.touches(other) for other in rows[lane]):
            lane += 1
        if lane == len(rows):
            rows.append([])
        rows[lane].append(span)
        lanes[index] = lane
    return lanes


def _filled(spans: Sequence[Span], chosen: list[str], first: int) -> list[int]:
    """Return a lane of each span, from `first` outwards, in which it touches no other; nested ones need not nest."""
    lanes = [0] * len(spans)
    ends: dict[str, list[tuple[float, int]]] = {LEFT: [], RIGHT: []}
    for index in sorted(range(len(spans)), key=lambda number: (spans[number].low, spans[number].high, number)):
        span, taken = spans[index], ends[chosen[index]]
        lane = heappop(taken)[1] if taken and taken[0][0] < span.low else first + len(taken)
        heappush(taken, (span.high, lane))
        lanes[index] = lane
    return lanes
