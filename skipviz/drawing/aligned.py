"""Diagrams of several networks side by side: equal boxes, and equal rows where a layer's id is in several of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from ..network.network import Network
from .column import lay_out
from .diagram import column, row_table
from .fold import Item
from .geometry import STYLES, Geometry, Style
from .painter import Diagram, Painter
from .rows import Plan, branch_ends, plan


def draw(
    networks: Sequence[Network],
    *,
    page: str = "lab",
    height: float,
    unfolded: Iterable[int | str] | None = None,
    folded: bool = True,
    screen: bool = False,
) -> list[Diagram]:
    """Return the diagrams of `networks` as columns, all of one height: `height` px, or as much more as their rows need.

    A row that one of them lacks stays empty there. The rest is as in `diagram.draw`.
    """
    style, opened = STYLES["aligned lab"], frozenset(part for part in unfolded or () if isinstance(part, int))
    branches = [part for part in unfolded or () if isinstance(part, str)]
    tables = [row_table(network, style, height, opened, folded, screen) for network in networks]
    if branches:
        tables = [plan(table.network, table.items, unfolded=branches) for table in tables]
    geometries = align(tables, style, height)
    return [Painter(one, page, 1, branch_ends(one.plan.network)).diagram() for one in geometries]


def align(tables: Sequence[Plan], style: Style, height: float) -> list[Geometry]:
    """Return the pixels of row tables whose boxes are equally high, the rows of equal layers beside each other."""
    closest = min((lay_out(table, style, height).dimensions for table in tables), key=lambda one: one.box)
    style = replace(style, dense=closest, loose=closest)
    steps = [_steps(lay_out(table, style, height)) for table in tables]
    reached = [0.0] * len(tables)
    for row in _rows(tables):
        start = max(reached[index] + steps[index][item][0] for index, item in row.items())
        for index, item in row.items():
            gap, rise = steps[index][item]
            tables[index].spacing[item] = start - reached[index] - gap
            reached[index] = start + rise
    ends = [place + steps[index][-1][0] for index, place in enumerate(reached)]
    for table, end in zip(tables, ends, strict=True):
        table.spacing[len(table.items)] = max(ends) - end
    most = max(height, max(ends) + style.top + style.bottom)
    return [column(table, style, most, "lab") for table in tables]


def _steps(geometry: Geometry) -> list[tuple[float, float]]:
    """Return of each item, lowest first, the px of the gap below it and from its foot to the foot of the next gap; then of the
    gap above them all, and 0."""
    found, foot = [], geometry.gaps[0][1] - geometry.style.stub_bottom
    for index, (top, bottom) in enumerate(geometry.items):
        end = geometry.joints[index][0] if index in geometry.joints else top
        found.append((foot - bottom, bottom - end))
        foot = end
    top, bottom = geometry.gaps[-1]
    return [*found, (bottom - top - geometry.style.stub_top, 0.0)]


def _rows(tables: Sequence[Plan]) -> list[dict[int, int]]:
    """Return the rows of all tables, lowest first: of each, which item of which tables stands there."""
    rows: list[dict[int, int]] = []
    keys: list[tuple[str, ...]] = []
    for index, table in enumerate(tables):
        own = [_key(table, item) for item in table.items]
        matched, merged, names = SequenceMatcher(None, keys, own, autojunk=False), [], []
        for _, first, last, low, high in matched.get_opcodes():
            if (same := keys[first:last]) == own[low:high]:
                merged += [row | {index: low + place} for place, row in enumerate(rows[first:last])]
                names += same
            else:
                merged += rows[first:last] + [{index: item} for item in range(low, high)]
                names += keys[first:last] + own[low:high]
        rows, keys = merged, names
    return rows


def _key(table: Plan, item: Item) -> tuple[str, ...]:
    layers = table.network.layers
    return item.kind, layers[item.first].id, layers[item.last].id
