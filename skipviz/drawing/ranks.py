"""A layered graph: ranks by longest paths, few crossings within them, straight columns across them. Standard library only.

Sugiyama, Tagawa and Toda 1981 (ranks, barycentre sweeps); columns after Brandes and Köpf 2001, around one straight spine.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Vertex = Hashable

SWEEPS = 12
"""Passes over all ranks; no graph that was tried got better after eight."""


@dataclass(frozen=True)
class Line:
    """An edge between two vertices. `length` is the least number of ranks that it spans."""

    source: Vertex
    target: Vertex
    length: int = 1
    at_side: bool = False
    """Whether it ends beside its target instead of below it."""


def ranks_of(vertices: Iterable[Vertex], lines: Iterable[Line]) -> dict[Vertex, int]:
    """Return the rank of each vertex, given behind all that lead to it: as low as its lines allow."""
    arriving: dict[Vertex, list[Line]] = defaultdict(list)
    for line in lines:
        arriving[line.target].append(line)
    ranks: dict[Vertex, int] = {}
    for vertex in vertices:
        ranks[vertex] = max((ranks[line.source] + line.length for line in arriving[vertex]), default=0)
    return ranks


@dataclass
class Layering:
    """Vertices by rank, the lowest first, each rank from left to right; a line passes every rank between its ends by a bend."""

    ranks: list[list[Vertex]]
    chains: list[list[Vertex]]
    """Of each line all that it passes, its ends included; the last is a bend beside its target where it ends at a side."""
    owners: dict[Vertex, Vertex] = field(default_factory=dict)
    """Of each bend beside a target, that."""
    below: dict[Vertex, list[Vertex]] = field(default_factory=lambda: defaultdict(list))
    above: dict[Vertex, list[Vertex]] = field(default_factory=lambda: defaultdict(list))

    def crossings(self) -> int:
        """Return how often two lines cross between neighbouring ranks."""
        return sum(self._crossings(rank) for rank in range(1, len(self.ranks)))

    def _crossings(self, rank: int) -> int:
        place = {vertex: number for number, vertex in enumerate(self.ranks[rank - 1])}
        count, seen = 0, []
        for vertex in self.ranks[rank]:
            ends = sorted(place[other] for other in self.below[vertex])
            count += sum(len(seen) - bisect_left(seen, end + 1) for end in ends)
            for end in ends:
                insort(seen, end)
        return count


def layering(ranks: Mapping[Vertex, int], lines: Sequence[Line], side: Callable[[int], int], spine: Iterable[Vertex]) -> Layering:
    """Return every rank in a first order: the `spine` in the middle, each line's bends on the `side` (−1 or 1) of its number."""
    made = Layering([[] for _ in range(max(ranks.values()) + 1)], [])
    middle, left, right = (defaultdict(list) for _ in range(3))
    spine = set(spine)
    for vertex, rank in ranks.items():
        (middle if vertex in spine else right)[rank].append(vertex)
    beside: dict[Vertex, dict[int, list[Vertex]]] = defaultdict(lambda: {-1: [], 1: []})
    for number, line in enumerate(lines):
        low, high = ranks[line.source], ranks[line.target]
        chain = [line.source, *(("bend", number, rank) for rank in range(low + 1, high + line.at_side))]
        if line.at_side:
            made.owners[chain[-1]] = line.target
            beside[line.target][side(number)].append(chain[-1])
        else:
            chain.append(line.target)
        for rank, vertex in enumerate(chain[1:], low + 1):
            if vertex not in ranks and vertex not in made.owners:
                (middle if side(number) == 0 else left if side(number) < 0 else right)[rank].append(vertex)
        for one, other in pairwise(chain):
            made.below[other].append(one)
            made.above[one].append(other)
        made.chains.append(chain)
    for rank in range(len(made.ranks)):
        units = [*left[rank], *middle[rank], *right[rank]]
        made.ranks[rank] = [one for unit in units for one in (*beside[unit][-1], unit, *beside[unit][1])]
    return made


def uncross(found: Layering) -> None:
    """Reorder every rank by barycentre sweeps, upwards and downwards in turn, and keep the order with the fewest crossings."""
    best, fewest = [list(rank) for rank in found.ranks], found.crossings()
    for sweep in range(SWEEPS):
        if not fewest:
            break
        upwards = sweep % 2 == 0
        numbers = range(1, len(found.ranks)) if upwards else range(len(found.ranks) - 2, -1, -1)
        for number in numbers:
            _sort(found, number, upwards)
        count = found.crossings()
        if count < fewest:
            best, fewest = [list(rank) for rank in found.ranks], count
    found.ranks = best


def _sort(found: Layering, number: int, upwards: bool) -> None:
    """Order one rank by the places of its neighbours in the one before; a bend beside its target stays there."""
    rank, other = found.ranks[number], found.ranks[number - 1 if upwards else number + 1]
    place = {vertex: index for index, vertex in enumerate(other)}
    near, here = found.below if upwards else found.above, {vertex: index for index, vertex in enumerate(rank)}

    def centre(vertex: Vertex) -> float | None:
        ends = [place[end] for end in near[vertex]]
        return sum(ends) / len(ends) if ends else None

    units = [vertex for vertex in rank if vertex not in found.owners]
    known = {vertex: value for vertex in units if (value := centre(vertex)) is not None}
    ordered = iter(sorted(known, key=known.__getitem__))
    units = [next(ordered) if vertex in known else vertex for vertex in units]
    sides: dict[Vertex, list[list[tuple[float, Vertex]]]] = defaultdict(lambda: [[], []])
    for vertex in rank:
        if vertex not in found.owners:
            continue
        owner = found.owners[vertex]
        value, its = centre(vertex), known.get(owner)
        stays = value is None or its is None or value == its
        right = here[vertex] > here[owner] if stays else value > its
        sides[owner][right].append((here[vertex] if value is None else value, vertex))
    for both in sides.values():
        for one in both:
            one.sort(key=lambda pair: pair[0])
    found.ranks[number] = [
        one for unit in units for one in (*(v for _, v in sides[unit][0]), unit, *(v for _, v in sides[unit][1]))
    ]


def columns(found: Layering, spine: set[Vertex], apart: Callable[[Vertex, Vertex], float]) -> dict[Vertex, float]:
    """Return each vertex's x, the spine's being 0: lines run straight up where they can, `apart` px from their neighbours."""
    block = _blocks(found, spine)
    inner: dict[Vertex, list[tuple[Vertex, Vertex]]] = defaultdict(list)
    outward: dict[Vertex, int] = {}
    for rank in found.ranks:
        middle = next(index for index, vertex in enumerate(rank) if vertex in spine)
        for step, end in ((1, len(rank)), (-1, -1)):
            for index in range(middle + step, end, step):
                inner[block[rank[index]]].append((rank[index - step], rank[index]))
                outward[block[rank[index]]] = step
    x: dict[Vertex, float] = {block[next(iter(spine))]: 0.0}

    def place(root: Vertex) -> float:
        if root not in x:
            x[root] = max(abs(place(block[near])) + apart(near, own) for near, own in inner[root]) * outward[root]
        return x[root]

    return {vertex: place(block[vertex]) for rank in found.ranks for vertex in rank}


def _blocks(found: Layering, spine: set[Vertex]) -> dict[Vertex, Vertex]:
    """Return the lowest vertex of the column that each stands in: the spine first, then lines past ranks, then other lines."""
    place = {vertex: index for rank in found.ranks for index, vertex in enumerate(rank)}
    bend = {vertex for chain in found.chains for vertex in chain if isinstance(vertex, tuple) and vertex[0] == "bend"}
    pairs: dict[int, list[tuple[int, int, Vertex, Vertex]]] = defaultdict(list)
    for number, rank in enumerate(found.ranks):
        for vertex in rank:
            for other in found.below[vertex]:
                kind = 0 if {vertex, other} <= spine else 1 if {vertex, other} <= bend else 2
                pairs[number].append((kind, abs(place[vertex] - place[other]), other, vertex))
    block = {vertex: vertex for rank in found.ranks for vertex in rank}
    for number in range(1, len(found.ranks)):
        joined: list[tuple[int, int]] = []
        for *_, low, high in sorted(pairs[number], key=lambda pair: pair[:2]):
            a, b = place[low], place[high]
            if all((a < c) == (b < d) and a != c and b != d for c, d in joined):
                joined.append((a, b))
                block[high] = block[low]
    return block
