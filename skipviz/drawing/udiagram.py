"""A network drawn as a U by scale: the same marks as in the column, in other places."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from ..network.base import spatial, written
from ..network.groups import groups_of
from ..network.merge import MERGES
from ..network.network import Network
from . import fold, marks
from .between import RESOLUTION_HEIGHT
from .collapsed_group import short_name
from .diagram import GROWS, HEIGHTS
from .edge_labels import branch_on, labelled
from .geometry import STYLES
from .painter import Diagram, Painter
from .rows import branch_ends, plan
from .svg import Markup, group, path, polyline, text
from .ushape import UGeometry, lay_out_u, openable_in_u

ALIKE = 0.5
"""Of the boxes of a level's arm or of a group, the least part that both have where one names the other: a module that scales
down has the pool above its level, too."""
RESOLUTION_HALF = 24
"""px from the middle of a level's resolution to its ends, and a little more."""
ROOM = {False: 520, True: 372}
"""px of the widest U that a page, or a phone, draws with its branches open unasked."""


def has_u(network: Network) -> bool:
    """Return whether `network` goes down in scale and up again, and so can be drawn as a U."""
    return groups_of(network).scales is not None


def draw_u(
    network: Network, *, compact: bool = False, height: int | None = None, unfolded: Iterable[int | str] | None = None
) -> Diagram:
    """Return the diagram of `network` as a U for the lab; raises `ValueError` where `has_u` is false.

    Of the branches whose last nodes' ids are in `unfolded` (None: of all, where there is room) those are open that change one
    skip straight across, or are a grid of scales.
    """
    found = groups_of(network).scales
    if found is None:
        raise ValueError("only a network that goes down in scale and up again is a U")
    style, height, items = STYLES["compact lab" if compact else "lab"], height or HEIGHTS["lab"], fold.boxes(network)
    can = openable_in_u(plan(network, items, unfolded=branch_ends(network)), found, style)

    def laid_out(opened: set[str]) -> UGeometry:
        table = plan(network, items, unfolded=opened)
        labels = (marks.badge_width(label) for link in table.links for label in labelled(table, link, branch_on(table, link, can)))
        return lay_out_u(table, found, style, height, max(labels, default=0.0), compact)

    geometry = laid_out(can.intersection(can if unfolded is None else unfolded))
    if unfolded is None and can and (geometry.width > ROOM[compact] or geometry.height > height * GROWS):
        geometry = laid_out(set())
    return _UPainter(geometry, "lab", 1, can).diagram()


class _UPainter(Painter):
    """Paints trunk, ends and levels where a U has them; boxes, joints, skips and valves as ever."""

    geometry: UGeometry

    def _trunk(self) -> Markup:
        g, pieces = self.geometry, [self._levels()]
        for gap in range(len(g.plan.gaps)):
            states, feeds = self.plan.gaps[gap], self.plan.feeds(gap)
            if gap - 1 in g.joints:
                pieces.append(self._stub(gap - 1, states))
            line = self._line(gap)
            taps = g.gap_taps(gap)
            if taps:
                before, after = _cut(line, taps[0])
                pieces.append(marks.trunk_line(self.edge("state", states), before))
                pieces.append(marks.trunk_line(self.edge("trunk", feeds), after))
            else:
                pieces.append(marks.trunk_line(self.edge("state", states), line))
        return group("trunk-layer", *pieces)

    def _stub(self, item: int, states) -> Markup:
        g, x = self.geometry, self.geometry.trunk_at(item)
        ends = sorted((*g.items[item], *g.joints[item]))[1:3]
        if not MERGES[self.plan.merge_at(item)].sums:
            return marks.trunk_wire(x, *ends)
        return marks.trunk_edge(self.edge("state", states), x, *ends)

    def _line(self, gap: int) -> list[tuple[float, float]]:
        """Return the trunk of a gap in the direction of the signal."""
        g = self.geometry
        top, bottom = g.gaps[gap]
        if gap == g.scales.turn:
            start = max(g.items[gap - 1][1], g.joints.get(gap - 1, (0, 0))[1])
            return [(g.down, start), (g.down, g.bottom), (g.trunk, g.bottom), (g.trunk, top)]
        x = g.trunk_at(gap)
        return [(x, top), (x, bottom)] if g.on_way_down(gap) else [(x, bottom), (x, top)]

    def _levels(self) -> Markup:
        """Return the edges between levels and each level's resolution; where a rim was lost on the way, both arms' own.

        What is written of groups names a level's boxes on either arm.
        """
        g, drawn = self.geometry, []
        for y in g.edges:
            drawn.append(path("level", polyline((0, y), (g.width - 8, y))))
        half, states, names = g.style.box_width / 2 + 8, self.network.shapes.states, self._level_names()
        for number, top in enumerate([g.gaps[0][0], *g.edges]):
            own = [spatial(shape) for shape, level in zip(states, g.scales.levels, strict=True) if level == number]
            y = self._free_label(top + (RESOLUTION_HEIGHT if number else 2 * RESOLUTION_HEIGHT))
            if own[0] == own[-1]:
                drawn.append(text("resolution", self._free_middle(y), y, written(own[0])))
            else:
                drawn.append(text("resolution first", g.down + half, y, written(own[0])))
                drawn.append(text("resolution last", g.trunk - half, y, written(own[-1])))
            for css, x, name in (("first", g.down + half, names[number, True]), ("last", g.trunk - half, names[number, False])):
                drawn += [text(f"resolution {css}", x, self._free_label(y + RESOLUTION_HEIGHT), short_name(name))] if name else []
        return group("level-layer", *drawn)

    def _level_names(self) -> dict[tuple[int, bool], str]:
        """Return by level, of the way down (True) and up, the name of the written group that is most nearly its boxes there."""
        scales, places = self.geometry.scales, {layer.id: k for k, layer in enumerate(self.network.layers)}
        groups = [(group.name, {places[name] for name in group.nodes if name in places}) for group in self.network.groups]
        found = {}
        for number in range(scales.count):
            for down in (True, False):
                own = {k for k in places.values() if scales.levels[k] == number and (k < scales.turn) == down}
                alike = [(len(own & boxes) / len(own | boxes), name) for name, boxes in groups if own & boxes]
                share, name = max(alike, default=(0, ""))
                found[number, down] = name if share >= ALIKE else ""
        return found

    def _free_label(self, y: float) -> float:
        """Return the height at or below y where no skip crosses a level's words."""
        taken = {point[1] for link, points in enumerate(self.geometry.paths) if self.geometry.across(link) for point in points}
        while any(y - RESOLUTION_HEIGHT < line < y + 7 for line in taken):
            y += 1
        return y

    def _free_middle(self, y: float) -> float:
        """Return the x nearest to the middle of both ways where no line of a branch crosses words at height y: a column's."""
        g, paths = self.geometry, [path for block in self.geometry.blocks for path in block.paths.values()]
        middle = (g.down + g.trunk) / 2
        legs = [leg for path in paths for leg in pairwise(path) if min(leg[0][1], leg[1][1]) < y < max(leg[0][1], leg[1][1])]
        places = [left + width / 2 for block in g.blocks for left, _, width, _ in block.places.values()]
        free = [x for x in (middle, *places) if all(abs(x - leg[0][0]) > RESOLUTION_HALF for leg in legs)]
        return min(free, key=lambda x: abs(x - middle), default=middle)

    def _ends(self) -> Markup:
        g = self.geometry
        top = g.gaps[0][0]
        drawn = [self._head()] if g.head else []
        drawn.append(text("word", g.down + 10, top + 8, "input ↓ data"))
        drawn.append(text("word left", g.trunk - 10, top + 8, "loss ↓ gradient"))
        return group("end-layer", *drawn)


def _cut(line: list[tuple[float, float]], y: float) -> tuple[list, list]:
    """Return a line in two, cut on its last leg at y."""
    point = (line[-1][0], y)
    return [*line[:-1], point], [point, line[-1]]
