"""The layered layout, for a graph whose trunk does not dominate it: ranks as rows, all boxes and lines of its branches drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..network.base import axes
from ..network.branch import arriving_at, places_of
from ..network.merge import MERGES
from . import words
from .beside import CHARACTER, NARROWEST, Block
from .channels import Turn, tracks
from .edge_labels import size
from .geometry import HEAD_HEIGHT, TRUNK_EDGE, Geometry, Point, Style
from .lanes import LEFT, RIGHT, Lane, Span, sides
from .ranks import Layering, Line, Vertex, columns, layering, ranks_of, uncross
from .rows import FIGURE, HEAD, Dimensions, Plan

INPUT, OUTPUT = ("in", ""), ("out",)
"""The ends of the trunk: what it reads, and what is read of it."""
APART = 12.0
"""px between two boxes of a row, and between a box and a line past it."""
LABEL_APART = 5.0
"""px between words on a line and what stands beside them."""
RING = 12.0
"""px above the words on a line, for its switch."""
FIT_STEPS = 12
"""Halvings by which rows are fitted to the height: finer than a hundredth of a pixel."""
BAND = 5.0
"""px of the widest band: lines lie close together."""


@dataclass
class LayeredGeometry(Geometry):
    """Pixels of a layered diagram: what Geometry has of the trunk, and a block with all that stands beside it."""

    shape = "layers"
    labels: dict[int, Point] = field(default_factory=dict)
    """By link, the middle of the room that its words have."""

    def edge(self, link: int) -> float:
        """Return how far words move out of the boxes' way: they have their room."""
        return float("inf")

    def leg(self, link: int) -> tuple[Point, Point]:
        """Return the piece of a line where its words and its switch are."""
        if link in self.labels:
            x, y = self.labels[link]
            return (x, y), (x, y)
        return max(pairwise(self.paths[link]), key=lambda leg: abs(leg[0][0] - leg[1][0]) + abs(leg[0][1] - leg[1][1]))


def lay_out_layered(plan: Plan, style: Style, height: float, label_sizes: Sequence[tuple[float, float]]) -> LayeredGeometry:
    """Return the pixels of `plan`, a box a layer, with all its unfolded branches, in `height` px, more where rows need it.

    `label_sizes` holds the width and height of the words on each link.
    """
    return _Layout(plan, style, label_sizes).geometry(height)


class _Layout:
    """A diagram while its vertices get their ranks, their order and their pixels."""

    def __init__(self, plan: Plan, style: Style, label_sizes: Sequence[tuple[float, float]]) -> None:
        self.plan, self.style, self.network = plan, style, plan.network
        self.nodes = {node.id: node for node in self.network.branches if node.id in plan.beside}
        self.edges = [index for index, edge in enumerate(self.network.edges) if edge.target in self.nodes]
        letters = max((len(words.doing(node, axes(self.network.input))) for node in self.nodes.values()), default=0)
        self.box_width = min(style.box_width, max(NARROWEST, CHARACTER * letters + 10))
        self.lines: list[Line] = []
        self.names: list[tuple[str, int]] = []
        """Of each line, what it is: a piece of trunk, a link or an edge, and its number."""
        self.sizes: dict[tuple[str, int], tuple[float, float]] = {}
        """Width and height of the words on a line that has some."""
        self._join(label_sizes)
        self._rank()
        self.labelled = self._labels()
        self.x = columns(self.layers, self.spine, self._apart)
        self._channels()

    def _state(self, number: int) -> Vertex:
        """Return the vertex that gives a state of the trunk."""
        return INPUT if not number else ("joint" if number - 1 in self.plan.joints else "box", number - 1)

    def _join(self, label_sizes: Sequence[tuple[float, float]]) -> None:
        """Note every line, those of the trunk first."""
        for k in range(self.network.depth):
            self._line("trunk", k, self._state(k), ("box", k))
            if k in self.plan.joints:
                self._line("stem", k, ("box", k), ("joint", k))
        self._line("trunk", self.network.depth, self._state(self.network.depth), OUTPUT)
        for index, (link, label_size) in enumerate(zip(self.plan.links, label_sizes, strict=True)):
            skip = self.network.skips[link.skips[0]]
            source = ("node", skip.via) if self.plan.is_unfolded(link) else self._state(skip.source)
            target = OUTPUT if link.end.kind == HEAD else (link.end.kind, link.end.index)
            self._line("link", index, source, target, label_size, at_side=True)
        states, arriving = places_of(self.network), arriving_at(self.network)
        for index in self.edges:
            edge = self.network.edges[index]
            source = ("node", edge.source) if edge.source in self.nodes else ("in", edge.source)
            if edge.source in states and edge.source not in self.network.further:
                source = self._state(states[edge.source])
            said = size(words.branch_edge_labels(self.network, index), 0)
            self._line("edge", index, source, ("node", edge.target), said, at_side=edge is not arriving[edge.target][0])

    def _line(self, kind: str, number: int, source: Vertex, target: Vertex, said=(0.0, 0.0), at_side: bool = False) -> None:
        self.names.append((kind, number))
        self.lines.append(Line(source, target, 2 if said[1] else 1, at_side))
        if said[1]:
            self.sizes[kind, number] = (said[0], said[1] + RING)

    def _rank(self) -> None:
        """Give every vertex its rank and its place within it."""
        spine = [INPUT, OUTPUT, *(line.target for line, name in zip(self.lines, self.names, strict=True) if name[0] == "stem")]
        spine += [("box", k) for k in range(self.network.depth)]
        self.ranks = ranks_of(self._topological(), self.lines)
        self.ranks[OUTPUT] = max(self.ranks.values(), default=0) + (self.ranks[OUTPUT] < max(self.ranks.values()))
        spans = [
            Span(self.ranks[line.source] + 0.5, self.ranks[line.target])
            for line, (kind, number) in zip(self.lines, self.names, strict=True)
            if kind == "link" and line.source[0] != "node"
        ]
        chosen = iter(sides(spans))
        side = [
            0 if kind in ("trunk", "stem") else -1 if kind == "link" and line.source[0] != "node" and next(chosen) == LEFT else 1
            for line, (kind, number) in zip(self.lines, self.names, strict=True)
        ]
        self.layers: Layering = layering(self.ranks, self.lines, side.__getitem__, spine)
        uncross(self.layers)
        self.spine = {*spine}
        for chain, number in zip(self.layers.chains, side, strict=True):
            self.spine.update(chain if not number else ())
        self.rank_of = {vertex: number for number, rank in enumerate(self.layers.ranks) for vertex in rank}

    def _topological(self) -> list[Vertex]:
        """Return all vertices, each behind those that lead to it."""
        arriving: dict[Vertex, set[Vertex]] = defaultdict(set)
        leaving: dict[Vertex, set[Vertex]] = defaultdict(set)
        for line in self.lines:
            arriving[line.target].add(line.source)
            leaving[line.source].add(line.target)
        found = [vertex for vertex in dict.fromkeys(line.source for line in self.lines) if vertex not in arriving]
        left = {vertex: len(sources) for vertex, sources in arriving.items()}
        for vertex in found:
            for target in sorted(leaving[vertex], key=str):
                left[target] -= 1
                if not left[target]:
                    found.append(target)
        return found

    def _labels(self) -> dict[Vertex, tuple[tuple[str, int], tuple[float, float]]]:
        """Return by bend the line whose words stand there, and their size: where the row is high, else in the middle."""
        found = {}
        for chain, name in zip(self.layers.chains, self.names, strict=True):
            if name in self.sizes:
                inner = [vertex for vertex in chain[1:-1] if vertex not in self.layers.owners]
                middle = (len(inner) - 1) / 2
                high = [max(self._own_height(v, FIGURE) for v in self.layers.ranks[self.rank_of[vertex]]) for vertex in inner]
                found[inner[max(range(len(inner)), key=lambda place: (high[place], -abs(place - middle)))]] = name, self.sizes[name]
        return found

    def _is_square(self, vertex: Vertex) -> bool:
        """Return whether a vertex is drawn as a merge's square."""
        node = self.nodes[vertex[1]] if vertex[0] == "node" else None
        return vertex[0] == "joint" or bool(node and node.is_merge and not MERGES[node.op.kind].joins)

    def _own_height(self, vertex: Vertex, d: Dimensions) -> float:
        """Return the height of a box or merge; a bend and an end have none."""
        if vertex == OUTPUT:
            return HEAD_HEIGHT if self.plan.head else 0.0
        return d.joint if self._is_square(vertex) else d.box if vertex[0] in ("box", "node") else 0.0

    def _width(self, vertex: Vertex, d: Dimensions = FIGURE) -> float:
        """Return the width of a vertex; columns leave room for merges of the largest size."""
        if vertex in self.labelled:
            return self.labelled[vertex][1][0]
        if self._is_square(vertex):
            return d.joint
        return {"box": self.style.box_width, "node": self.box_width, "out": self.style.box_width / 2}.get(vertex[0], 0.0)

    def _apart(self, one: Vertex, other: Vertex) -> float:
        """Return the px between the middles of two neighbours."""
        both = [self._width(one), self._width(other)]
        gap = self.style.pitch if not any(both) else LABEL_APART if {one, other} & self.labelled.keys() else APART
        return sum(both) / 2 + gap

    def geometry(self, height: float) -> LayeredGeometry:
        """Return the pixels of the whole, in `height` px or more."""
        style, (low, high) = self.style, (0.0, 1.0)
        for _ in range(FIT_STEPS):
            share = (low + high) / 2
            low, high = (share, high) if sum(self._heights(style.dense.between(FIGURE, share))) <= height else (low, share)
        self.dimensions = d = style.dense.between(FIGURE, low)
        sides = [max(self._width(v) / 2 + way * x for v, x in self.x.items()) for way in (-1, 1)]
        trunk = round(max(style.left + style.box_width / 2, sides[0] + 8))
        gain = trunk + max(style.right + style.box_width / 2, sides[1] + 6) + style.gain
        band = max(2.0, min(style.band, BAND, style.pitch - 4, d.tap))
        used, width = sum(self._heights(d)), round(gain + style.gain + 8)
        found = LayeredGeometry(self.plan, style, d, width, max(height, used), trunk, style.pitch, gain, band)
        self._stack(found.height - (found.height - used) / 2)
        self._trunk(found)
        self._route(found)
        return found

    def _heights(self, d: Dimensions) -> list[float]:
        """Return the px below the lowest row, then of each row and of the channel above it, then above the highest row."""
        found = [self.style.bottom]
        for rank, vertices in enumerate(self.layers.ranks):
            if rank:
                boxes = any(self._own_height(vertex, d) and not self._is_square(vertex) for vertex in vertices)
                count, least = self.counts[rank - 1], 0.0 if rank == 1 else d.gap if boxes else d.stub
                found.append(max(least, d.tap + (count - 1) * d.level if count else 0.0))
            found.append(max(self.labelled[v][1][1] if v in self.labelled else self._own_height(v, d) for v in vertices))
        return [*found, self.style.top]

    def _channels(self) -> None:
        """Give every turn of a line a track in the channel above its rank."""
        self.track: dict[tuple[int, int], int] = {}
        self.counts: list[int] = []
        turns: dict[int, list[tuple[int, Turn]]] = defaultdict(list)
        for number, chain in enumerate(self.layers.chains):
            for one, other in pairwise(chain):
                if self.x[one] != self.x[other]:
                    state = one if one[0] != "bend" else None
                    turns[self.rank_of[one]].append((number, Turn(self.x[one], self.x[other], state)))
        for rank in range(len(self.layers.ranks) - 1):
            found = tracks([turn for _, turn in turns[rank]])
            self.counts.append(max(found, default=-1) + 1)
            self.track.update({(rank, number): track for (number, _), track in zip(turns[rank], found, strict=True)})

    def _stack(self, bottom: float) -> None:
        """Place every row, from the bottom up."""
        self.row: list[tuple[float, float]] = []
        y, (first, *rest) = bottom, self._heights(self.dimensions)
        y -= first
        for place, height in enumerate(rest[:-1]):
            if place % 2 == 0:
                self.row.append((y - height, y))
            y -= height

    def _place(self, vertex: Vertex) -> tuple[float, float]:
        """Return the top and bottom of a vertex, in the middle of its row."""
        top, bottom = self.row[self.rank_of[vertex]]
        half = self._own_height(vertex, self.dimensions) / 2
        return (top + bottom) / 2 - half, (top + bottom) / 2 + half

    def _level(self, rank: int, number: int) -> float:
        """Return the y of a line's turn above a rank."""
        d = self.dimensions
        return self.row[rank][0] - d.tap / 2 - self.track[rank, number] * d.level

    def _trunk(self, geometry: LayeredGeometry) -> None:
        for k in range(self.network.depth):
            geometry.items.append(self._place(("box", k)))
            if k in self.plan.joints:
                geometry.joints[k] = self._place(("joint", k))
        for k in range(self.network.depth + 1):
            bottom = self._place(self._state(k))[0] if k else self.row[0][1] + self.style.stub_bottom
            geometry.gaps.append((geometry.items[k][1], bottom) if k < self.network.depth else (self._top(), bottom))
        geometry.head = self._place(OUTPUT) if self.plan.head else None

    def _top(self) -> float:
        """Return where the trunk ends."""
        return self._place(OUTPUT)[0] - self.style.stub_top

    def _ends(self, geometry: LayeredGeometry) -> dict[int, float]:
        """Return by line the height at which it meets its target's side: lines from further out higher, so that none cross."""
        groups: dict[tuple[Vertex, bool], list[tuple[float, int]]] = defaultdict(list)
        for number, chain in enumerate(self.layers.chains):
            if (owner := self.layers.owners.get(chain[-1])) is not None:
                away = self.x[chain[-1]] - self.x[owner]
                groups[owner, away > 0].append((abs(away), number))
        found = {}
        for (owner, _), lines in groups.items():
            top, bottom = self._place(owner)
            step = min(geometry.band + 2, (bottom - top) / (len(lines) + 0.4))
            base = (top + bottom) / 2 + step * (len(lines) - 1) / 2
            for place, (_, number) in enumerate(sorted(lines)):
                found[number] = base - place * step
                kind, index = self.names[number]
                if kind == "link":
                    geometry.room[index] = step if len(lines) > 1 else bottom - top
        return found

    def _route(self, geometry: LayeredGeometry) -> None:
        """Find every line's corners, and where boxes beside the trunk stand."""
        ends, d = self._ends(geometry), self.dimensions
        order = [node.id for node in self.network.branches if node.id in self.nodes]
        links = [index for index, link in enumerate(self.plan.links) if self.plan.is_unfolded(link)]
        block = Block(RIGHT, order, links, "", {}, {}, self.edges)
        for name in order:
            (top, bottom), width = self._place(("node", name)), self._width(("node", name), d)
            block.places[name] = (geometry.trunk + self.x["node", name] - width / 2, top, width, bottom - top)
        geometry.inputs = {name: geometry.trunk + self.x["in", name] for name in self.network.further if ("in", name) in self.x}
        for number, (kind, index) in enumerate(self.names):
            if kind not in ("link", "edge"):
                continue
            path = self._path(geometry.trunk, number, ends.get(number))
            if kind == "edge":
                block.paths[index] = path
                continue
            link = self.plan.links[index]
            geometry.paths.append(path)
            side = LEFT if path[-1][0] > path[-2][0] else RIGHT
            geometry.lanes.append(Lane(side, 0))
            geometry.taps.append(None if self.plan.is_unfolded(link) else path[0][1])
        for vertex, ((kind, index), _) in self.labelled.items():
            place = (geometry.trunk + self.x[vertex], sum(self.row[self.rank_of[vertex]]) / 2 + RING / 2)
            (geometry.labels if kind == "link" else block.labels)[index] = place
        geometry.blocks.append(block)

    def _path(self, trunk: float, number: int, end: float | None) -> list[Point]:
        """Return the corners of a line, from its source up to its target's lower or nearer side."""
        chain, line = self.layers.chains[number], self.lines[number]
        first, x = chain[0], {vertex: trunk + self.x[vertex] for vertex in chain}
        start = self.row[0][1] + self.style.stub_bottom if first[0] == "in" else self._place(first)[0]
        points = [(x[first], start)]
        for one, other in pairwise(chain):
            if x[one] != x[other]:
                level = self._level(self.rank_of[one], number)
                points += [(x[one], level), (x[other], level)]
        if first in self.spine:
            toward = TRUNK_EDGE if points[2][0] > points[1][0] else -TRUNK_EDGE
            points = [(points[1][0] + toward, points[1][1]), *points[2:]]
        if end is None:
            return [*points, (x[chain[-1]], self._place(line.target)[1])]
        aim = trunk + self.x[line.target]
        reach = self._width(line.target, self.dimensions) / 2
        return [*points, (x[chain[-1]], end), (aim + (reach if x[chain[-1]] > aim else -reach), end)]
