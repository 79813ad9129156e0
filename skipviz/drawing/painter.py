"""Paints a diagram whose pixels are known: every mark as SVG, and the data that a page needs to bring it alive.

Everything static is in the SVG; what a run changes hangs on `data-edge`, `data-stripe` and the classes of the marks.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field

from ..network.base import axes, written
from ..network.merge import MERGES
from . import marks, mixing, unfolded, words
from .board_paths import own_piece, pale_lines
from .collapsed_group import draw_collapsed_group, inside, mini_x
from .edge_labels import GRID_GAP, LABEL_PITCH, branch_on, free_place, labelled, size
from .forks import forks
from .geometry import Geometry
from .rows import COLLAPSED, JOINT, TAP
from .svg import Markup, group, rectangle, tag, text

BOARD_BAND, BOARD_SHARE = 4.5, 0.35
"""px of the widest band on a switchboard, and of what lies between two lanes: its lines lie close together."""


@dataclass(frozen=True)
class Diagram:
    """A drawn network; lengths in px, y downwards. `to_data` is what the page gets."""

    width: float
    height: float
    trunk_x: float
    box_width: float
    band_max: float
    """Widest band of a gradient."""
    gain_x: float
    """Middle of the gain column."""
    svg: str
    rows: list[dict] = field(default_factory=list)
    edges: list[dict] = field(default_factory=list)
    forks: list[dict] = field(default_factory=list)
    states: list[dict] = field(default_factory=list)
    skips: list[dict] = field(default_factory=list)
    collapsed: list[dict] = field(default_factory=list)
    shape: str = "column"
    """Name of the layout: column, u or layers."""
    unfolded: list[str] = field(default_factory=list)
    """The last nodes' ids of the branches that a toggle folds again."""

    def to_data(self) -> dict:
        """Return the diagram as JSON data."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def standalone_svg(self, theme: str = "light", frame: dict | None = None) -> str:
        """Return the SVG with its style sheet inside; `frame` has `state_grad`, `trunk_grad`, `skip_grad`, `weight_grad`."""
        from .standalone import standalone

        return standalone(self, theme, frame)


class Painter:
    """Collects the marks and the data of one diagram."""

    def __init__(self, geometry: Geometry, page: str, repeat: int, openable: Container[str]):
        """Paint `geometry`; the branches whose last nodes are `openable` have a toggle that opens them."""
        self.geometry, self.plan, self.network = geometry, geometry.plan, geometry.plan.network
        self.page, self.repeat = page, repeat
        self.openable = openable
        self.says = page == "lab" and words.differ(self.network)
        self.edges: list[dict] = []
        self.skips: list[dict] = []
        self.rows: list[dict] = []
        self.collapsed: list[dict] = []
        self.labels: list[Markup] = []
        self.taken: list[tuple[float, float, float, float]] = []
        """Left, top, right and bottom of the words on lines, and of boxes that others' words should not cover."""
        self.streams, self.matrices = mixing.streams_of(self.network), mixing.starts(self.network)

    def diagram(self) -> Diagram:
        g = self.geometry
        layers = [self._trunk(), self._skips(), self._items(), self._edge_labels(), self._valves(), self._ends(), self._states()]
        layers = [*unfolded.frames(self), *layers]
        sentence = words.network(self.network)
        svg = tag(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "class": f"sv-diagram rest {self.page}",
                "viewBox": f"0 0 {g.width:g} {g.height:g}",
                "width": float(g.width),
                "height": float(g.height),
                "role": "group",
                "aria-label": sentence,
            },
            *layers,
        )
        self.rows.sort(key=lambda row: row["y"])
        return Diagram(
            width=g.width,
            height=round(g.height, 2),
            trunk_x=g.trunk,
            box_width=g.style.box_width,
            band_max=round(g.band, 2),
            gain_x=round(g.gain, 2),
            svg=str(svg),
            rows=self.rows,
            edges=self.edges,
            forks=forks(g),
            states=self._handles(),
            skips=self.skips,
            collapsed=self.collapsed,
            shape=g.shape,
            unfolded=[via for block in g.blocks for via in unfolded.vias(self, block) if block.frame],
        )

    def edge(self, kind: str, parts: Iterable[int], band: float | None = None) -> str:
        """Add an edge and return its id; `band` is its widest band, px, where that is not the diagram's."""
        identifier = f"e{len(self.edges)}"
        widest = {} if band is None else {"band": band}
        self.edges.append({"id": identifier, "kind": kind, "parts": list(parts), **widest})
        return identifier

    def _trunk(self) -> Markup:
        g, pieces = self.geometry, []
        for gap, (top, bottom) in enumerate(g.gaps):
            states, feeds = self.plan.gaps[gap], self.plan.feeds(gap)
            lanes = self.streams[states[0]]
            if gap and gap - 1 in g.joints:
                y = g.items[gap - 1][0]
                if not MERGES[self.plan.merge_at(gap - 1)].sums:
                    pieces.append(marks.trunk_wire(g.trunk, g.joints[gap - 1][1], y, lanes))
                else:
                    pieces.append(marks.trunk_edge(self.edge("state", states), g.trunk, g.joints[gap - 1][1], y, lanes))
            taps = g.gap_taps(gap)
            if taps:
                pieces.append(marks.trunk_edge(self.edge("state", states), g.trunk, taps[0], bottom, lanes))
                pieces.append(marks.trunk_edge(self.edge("trunk", feeds), g.trunk, top, taps[0], lanes))
            elif gap in self.plan.leaving and feeds:
                pieces.append(marks.trunk_edge(self.edge("trunk", feeds), g.trunk, top, bottom, lanes))
            else:
                pieces.append(marks.trunk_edge(self.edge("state", states), g.trunk, top, bottom, lanes))
        return group("trunk-layer", *pieces)

    def _skips(self) -> Markup:
        g, drawn = self.geometry, []
        for board in sorted(set(g.board.values())):
            drawn.append(marks.pale_lines(pale_lines(g, board)))
        for index in sorted(range(len(self.plan.links)), key=self._depth):
            drawn.append(self._skip(index))
        return group("skip-layer", *drawn, *unfolded.lines(self))

    def _depth(self, index: int) -> tuple[float, float]:
        """Return how far behind the others a link lies: outer lanes first, and no line of a board over a later one's dot."""
        g = self.geometry
        return -g.lanes[index].index, -self.plan.links[index].end.position if index in g.board else 0

    def _edge_labels(self) -> Markup:
        """Return the words on the lines, above the boxes that they may overlap."""
        return group("label-layer", *self.labels, *unfolded.titles(self))

    def _skip(self, index: int) -> Markup:
        g, link = self.geometry, self.plan.links[index]
        skips = [self.network.skips[number] for number in link.skips]
        on_board = index in g.board
        identifier = self.edge("skip", link.skips, min(BOARD_BAND, BOARD_SHARE * g.pitch) if on_board else None)
        branch = branch_on(self.plan, link, self.openable)
        labels = labelled(self.plan, link, branch)
        (x1, y1), (x2, y2) = own_piece(g, index)[-3:-1] if on_board else g.leg(index)
        y = (y1 + y2) / 2
        grid = mixing.side_of(self.network, link.skips)
        width, height = size(labels, grid)
        x, middle = free_place(((x1, y1), (x2, y2)), (width, height), self.taken, g.edge(index) if x1 == x2 else None)
        reach = height / 2 + 5 if height else 0
        if on_board:
            ring = (x2, y2)
        elif y1 == y2:
            ring = (x - width / 2 - 9 if width else x, y)
        else:
            ring = (x1, max(min(y1, y2) + 5, middle - reach) if height else y)
        on = sum(skip.in_force for skip in skips)
        css = " ".join(
            word
            for word, true in (
                ("off", not on),
                ("some", 0 < on < len(skips)),
                ("count", link.crosses_fold),
                ("dotted", on_board),
                ("close", on_board and g.pitch < marks.CLOSE_PITCH),
            )
            if true
        )
        if grid:
            self.labels.append(self._grid(link.skips[0], x, middle - height / 2, data_of=identifier))
            middle += (grid + GRID_GAP) / 2
        for number, label in enumerate(labels):
            place = middle + (number - (len(labels) - 1) / 2) * LABEL_PITCH
            self.labels.append(unfolded.link_label(self.network, link, label, (x, place), "" if on else "off", identifier))
        ids = [skip.id for skip in skips]
        place = {"x": round(ring[0], 2), "y": round(ring[1], 2), "label": [round(x, 2), round(middle, 2)]}
        place |= {"branch": branch} if branch else {}
        self.skips.append({"id": identifier, "ids": ids, "parts": list(link.skips), **place})
        return marks.skip_edge(
            identifier,
            g.paths[index],
            ring,
            css,
            self._plug(index),
            marks.Piece(own_piece(g, index), marks.dot_radius(g.pitch)) if on_board else None,
            data_skip=" ".join(ids),
            aria_label=words.skip(self.network, link.skips),
            aria_pressed="true" if on else "false",
        )

    def _grid(self, index: int, x: float, top: float, **attributes) -> Markup:
        """Return how the streams of a skip mix at the start."""
        skip = self.network.skips[index]
        css, matrix = "" if skip.in_force else "off", MERGES[skip.merge].matrix(skip)
        return mixing.grid(x, top, matrix, css, data_mixing=self.matrices[index], **attributes)

    def _plug(self, index: int) -> Markup | None:
        g, link = self.geometry, self.plan.links[index]
        if link.end.kind in (JOINT, COLLAPSED) or not g.style.plug:
            return None
        x, y = g.paths[index][-1]
        height = min(12.0, g.dimensions.box - 4, max(2.5, g.room[index] - 1))
        left = g.lanes[index].side == "left"
        return rectangle("plug", x - (g.style.plug - 0.5 if left else 0.5), y - height / 2, g.style.plug, height)

    def _items(self) -> Markup:
        g, drawn = self.geometry, []
        for index, item in enumerate(self.plan.items):
            top, bottom = g.items[index]
            row = {"y": round((top + bottom) / 2, 3), "h": round(bottom - top, 3), "layers": list(item.layers)}
            if item.kind == "collapsed":
                drawn.append(draw_collapsed_group(g, index))
                first, last = item.first + 1, item.last + 1
                self.rows.append(
                    {"id": f"p{first}", "kind": "collapsed", **row, "ids": [], "label": f"f({first})–f({last})", "skips": []}
                    | ({"name": item.name} if item.name else {})
                )
                self.collapsed.append(
                    {
                        "id": f"p{first}",
                        "first": first,
                        "last": last,
                        "y0": round(top, 2),
                        "y1": round(bottom, 2),
                        "count": item.blocks,
                        "x": round(mini_x(g), 2),
                        "inside": [[skip, round(low, 2), round(high, 2)] for skip, low, high in inside(g, index)],
                    }
                )
            else:
                drawn.append(self._box(index))
                ids = [self.network.layers[layer].id for layer in item.layers]
                row["weightless"] = words.weightless(self.network, item.layers)
                row["scaled"] = any(self.network.layers[layer].scale_learned for layer in item.layers)
                self.rows.append({"id": ids[0], "kind": "box", **row, "ids": ids, "label": f"f({item.first + 1})", "skips": []})
            if index in g.joints:
                drawn.append(self._joint(index))
        self.rows += unfolded.rows(self)
        return group("item-layer", *drawn, *unfolded.boxes(self))

    def _box(self, index: int) -> Markup:
        g, item = self.geometry, self.plan.items[index]
        top, bottom = g.items[index]
        layers = [self.network.layers[layer] for layer in item.layers]
        css = " ".join(
            word
            for word, true in (
                ("killed", all(layer.gain == 0 for layer in layers)),
                ("off", not any(layer.on for layer in layers)),
                ("bare", self.says and bool(words.weightless(self.network, item.layers))),
            )
            if true
        )
        return marks.box(
            g.trunk_at(index) - g.style.box_width / 2,
            top,
            g.style.box_width,
            bottom - top,
            item.first + 1,
            css,
            layers[0].dropout,
            (words.short(layers[0], axes(self.network.input)) or layers[0].op.label()) if self.says else "",
            data_layer=" ".join(layer.id for layer in layers),
            aria_label=words.layer(self.network, item.layers),
        )

    def _joint(self, index: int) -> Markup:
        g, skips = self.geometry, self.plan.joints[index]
        top, bottom = g.joints[index]
        k = self.plan.items[index].last + 1
        row = {"id": f"j{k}", "kind": "joint", "y": round((top + bottom) / 2, 3), "h": round(bottom - top, 3)}
        self.rows.append({**row, "layers": [], "ids": [], "label": f"h({k})", "skips": list(skips)})
        return marks.joint(g.trunk_at(index), top, bottom - top, self.plan.merge_at(index), data_joint=k)

    def _valves(self) -> Markup:
        g, drawn = self.geometry, []
        for index, item in enumerate(self.plan.items):
            if item.kind != "box":
                continue
            layers = [self.network.layers[layer] for layer in item.layers]
            gains = {layer.gain for layer in layers}
            drawn.append(
                marks.valve(
                    g.gain_at(index),
                    sum(g.items[index]) / 2,
                    gains.pop() if len(gains) == 1 else None,
                    data_valve=" ".join(layer.id for layer in layers),
                    aria_label=words.valve(self.network, item.layers),
                )
            )
        return group("valve-layer", *drawn)

    def _ends(self) -> Markup:
        g, drawn = self.geometry, []
        top, bottom = g.gaps[-1][0], g.gaps[0][1]
        if g.head:
            drawn.append(self._head())
        if self.page == "figure":
            drawn += [marks.dots(g.trunk, top - 7), marks.dots(g.trunk, bottom + 7)]
        else:
            drawn.append(text("word", g.trunk + 10, top + 8, "loss ↓ gradient"))
            sides = {
                lane.side
                for link, lane in zip(self.plan.links, g.lanes, strict=True)
                if link.start.kind == TAP and not link.start.index
            }
            drawn += [text("word", x + 7, bottom + 5, f"{name} ↑") for name, x in g.inputs.items()]
            left = "right" in sides or any(x > g.trunk for x in g.inputs.values())
            drawn.append(text("word left" if left else "word", g.trunk + (-10 if left else 10), bottom + 5, "input ↑ data"))
        if self.repeat > 1:
            drawn.append(self._unit_label())
        return group("end-layer", *drawn)

    def _head(self) -> Markup:
        g = self.geometry
        top, bottom = g.head
        width = g.style.box_width / 2
        self.rows.append({"id": "head", "kind": "head", "y": round((top + bottom) / 2, 3), "h": round(bottom - top, 3)})
        self.rows[-1] |= {"layers": [], "ids": [], "label": "head", "skips": list(self.plan.head)}
        face = rectangle("face", g.trunk - width / 2, top, width, bottom - top, rx=2)
        return group("head", face, text("name", g.trunk, (top + bottom) / 2 + 3.5, "next" if self.repeat > 1 else "head"))

    def _unit_label(self) -> Markup:
        g = self.geometry
        label = f"×{self.repeat} ⇕"
        width = marks.badge_width(label)
        x, y = g.trunk + 14 + width / 2, max(marks.BADGE_HEIGHT / 2 + 1, g.gaps[-1][0] - 4)
        return group(
            "collapsed unit",
            marks.badge(x, y, label),
            **marks.focusable(
                data_collapsed="unit", aria_label=f"This unit {self.repeat} times over, folded. Press Enter to unfold."
            ),
        )

    def _handles(self) -> list[dict]:
        g, handles = self.geometry, []
        if self.repeat > 1:
            return handles
        for gap, states in enumerate(self.plan.gaps):
            x, y = g.state_place(gap)
            shape = written(self.network.shapes.states[states[0]])
            handles.append({"k": states[0], "x": x, "y": round(y, 2), "shape": shape})
        return handles

    def _states(self) -> Markup:
        return group("state-layer", *(marks.state_handle(state["x"], state["y"], state["k"]) for state in self._handles()))
