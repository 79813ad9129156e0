"""The marks of branches that are unfolded: frames, boxes, the edges between them, and the toggles that fold them again."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from ..network.base import axes
from ..network.network import Network
from ..network.node import Node
from . import marks, words
from .beside import Block
from .edge_labels import LABEL_PITCH, free_place, size
from .geometry import Point
from .rows import Link
from .svg import Markup, rectangle

if TYPE_CHECKING:
    from .painter import Painter

BAND = 5.0
"""px of the widest band of an edge: lines along a block lie close together."""
RING_ABOVE = 5.0
"""px from the words on a line to the middle of its switch above them."""


def frames(painter: Painter) -> list[Markup]:
    """Return what lies behind the boxes of each block."""
    return [rectangle("beside", *block.frame, rx=5) for block in painter.geometry.blocks if block.frame]


def titles(painter: Painter) -> list[Markup]:
    """Return the toggle of each block, which folds it."""
    drawn = []
    for block in painter.geometry.blocks:
        if not block.frame:
            continue
        left, top, width, _ = block.frame
        middle, y = left + width / 2, top - marks.BADGE_HEIGHT / 2 + 2
        drawn.append(branch_toggle(middle, y, block.title, vias(painter, block), opened=True))
    return drawn


def vias(painter: Painter, block: Block) -> list[str]:
    """Return the last nodes of the branches in a block that are unfolded."""
    return [via for via in painter.plan.unfolded if via in block.rows]


def branch_toggle(x: float, y: float, label: str, vias: list[str], opened: bool, css: str = "", **attributes) -> Markup:
    """Return the button whose `label` says what branches do, and which unfolds or folds them."""
    words = f"Branch beside the trunk: {label}. Press Enter to {'fold' if opened else 'unfold'} it."
    reached = marks.focusable(data_branch=" ".join(vias), aria_label=words, aria_expanded="true" if opened else "false")
    return marks.badge(x, y, label, f"fold {css}".strip(), **reached, **attributes)


def link_label(network: Network, link: Link, label: str, at: Point, css: str, identifier: str) -> Markup:
    """Return a label on a link; the one that names its branch unfolds it."""
    if not label.endswith(words.FOLDS):
        return marks.badge(*at, label, css, data_edge_label=identifier)
    vias = list(dict.fromkeys(network.skips[index].via for index in link.skips))
    return branch_toggle(*at, label, vias, False, css, data_edge_label=identifier)


def lines(painter: Painter) -> list[Markup]:
    """Return the edges into the boxes of every block, each a line that can be switched."""
    names = words.names(painter.network) if painter.geometry.blocks else {}
    for block in painter.geometry.blocks:
        painter.taken += [(left, top, left + width, top + height) for left, top, width, height in block.places.values()]
    return [_line(painter, block, index, names) for block in painter.geometry.blocks for index in block.edges]


def _line(painter: Painter, block: Block, index: int, names: dict[str, str]) -> Markup:
    network, edge, points = painter.network, painter.network.edges[index], block.paths[index]
    identifier = painter.edge("edge", [index], BAND)
    leg = _longest(points)
    ring = (leg[0][0] + leg[1][0]) / 2, (leg[0][1] + leg[1][1]) / 2
    labels = words.branch_edge_labels(network, index)
    x, middle = block.labels.get(index) or free_place(leg, size(labels, 0), painter.taken)
    if index in block.labels:
        ring = (x, middle - len(labels) * LABEL_PITCH / 2 - RING_ABOVE)
    for place, label in enumerate(labels):
        y = middle + (place - (len(labels) - 1) / 2) * LABEL_PITCH
        painter.labels.append(marks.badge(x, y, label, "" if edge.in_force else "off", data_edge_label=identifier))
    where = {"x": round(ring[0], 2), "y": round(ring[1], 2), "label": [round(x, 2), round(middle, 2)]}
    painter.skips.append({"id": identifier, "ids": [edge.id], "parts": [len(network.skips) + index], **where})
    return marks.skip_edge(
        identifier,
        points,
        ring,
        "beside" if edge.in_force else "beside off",
        None,
        data_skip=edge.id,
        aria_label=words.edge(edge, names),
        aria_pressed="true" if edge.in_force else "false",
    )


def boxes(painter: Painter) -> list[Markup]:
    """Return the boxes and merges of every block."""
    nodes = {node.id: node for node in painter.network.branches} if painter.geometry.blocks else {}
    return [_box(painter, block, nodes[name]) for block in painter.geometry.blocks for name in block.names]


def rows(painter: Painter) -> list[dict]:
    """Return a row of the bars for each rank of a layered diagram that branches have boxes in, by number in `beside`.

    Where a box of the trunk stands in the same rank, its row has the rank's upper half and theirs the lower.
    """
    geometry, ranks = painter.geometry, defaultdict(list)
    if geometry.shape != "layers":
        return []
    places = {name: place for block in geometry.blocks for name, place in block.places.items()}
    for number, node in enumerate(painter.network.branches):
        if node.id in places and not node.is_merge:
            _, top, _, height = places[node.id]
            ranks[top, height].append(number)
    trunk = dict(zip(geometry.items, (row for row in painter.rows if row["kind"] != "joint"), strict=True))
    found = []
    for (top, height), beside in ranks.items():
        shared = next((row for (first, _), row in trunk.items() if first == top), None)
        if shared:
            height /= 2
            shared |= {"y": round(top + height / 2, 3), "h": round(height, 3)}
        found.append(_row(painter, top + (height if shared else 0), height, beside))
    return found


def _row(painter: Painter, top: float, height: float, beside: list[int]) -> dict:
    network = painter.network
    nodes = [network.branches[number] for number in beside]
    weighted = any(network.shapes.branches[number].parameters for number in beside)
    row = {"id": nodes[0].id, "kind": "beside", "y": round(top + height / 2, 3), "h": round(height, 3)}
    row |= {"layers": [], "ids": [], "skips": [], "beside": beside}
    said = [words.doing(node, axes(network.input)) for node in nodes]
    return row | {"label": ", ".join(said), "weightless": "" if weighted else nodes[0].words()}


def _box(painter: Painter, block: Block, node: Node) -> Markup:
    left, top, width, height = block.places[node.id]
    reached = {"data_layer": node.id, "aria_label": words.box(node)}
    if node.is_merge and width == height:
        return marks.joint(left + width / 2, top, height, node.op.kind, **marks.focusable(**reached))
    css = " ".join(word for word, true in (("killed", node.gain == 0), ("off", not node.on)) if true)
    what = words.short(node, axes(painter.network.input)) or node.op.label()
    return marks.box(left, top, width, height, None, css, node.dropout, what, **reached)


def _longest(points: list[Point]) -> tuple[Point, Point]:
    """Return the longest leg of a line."""
    return max(pairwise(points), key=lambda leg: abs(leg[0][0] - leg[1][0]) + abs(leg[0][1] - leg[1][1]))
