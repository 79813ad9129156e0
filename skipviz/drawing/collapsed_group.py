"""A collapsed group: many equal blocks folded into one row, a stripe a layer, a mini-lane for their skips."""

from __future__ import annotations

from . import marks, words
from .geometry import COLLAPSED_LEFT, COLLAPSED_RIGHT, Geometry
from .svg import Markup, circle, group, number, path, rectangle, text

RING_GAP = 11
"""px between two rings of skips that are off; nearer ones share a ring."""

MOST_STRIPES = 640
"""Stripes of a collapsed group: about one a pixel; of more layers every so many is shown."""

RATE_BELOW = marks.BADGE_HEIGHT + 3
"""px from the middle of a collapsed group to that of its layers' dropout, and to that of its name above."""
MOST_LETTERS = 12
"""Of a name: what a phone's collapsed group is wide enough for."""
STACKED = 3
"""px between the edges of the stacked cards."""


def draw_collapsed_group(geometry: Geometry, index: int) -> Markup:
    """Return the collapsed group of item `index`."""
    item = geometry.plan.items[index]
    top, bottom = geometry.items[index]
    x, width = geometry.left - COLLAPSED_LEFT, geometry.style.box_width + COLLAPSED_LEFT + COLLAPSED_RIGHT
    cards = [rectangle("card", x + 2 * step, top + step, width, bottom - top, rx=5) for step in (2 * STACKED / 2, STACKED / 2)]
    first, last = item.first + 1, item.last + 1
    middle = (top + bottom) / 2
    return group(
        "collapsed",
        rectangle("outline", x - 3, top - 3, width + 6, bottom - top + 6, rx=7),
        *cards,
        rectangle("face", x, top, width, bottom - top, rx=5),
        _stripes(geometry, item, top, bottom),
        _mini_lane(geometry, index),
        marks.badge(geometry.trunk, middle, f"×{item.blocks} ⇕", "fold"),
        *([marks.badge(geometry.trunk, middle - RATE_BELOW, short_name(item.name), "fold")] if item.name else ()),
        *(marks.badge(geometry.trunk, middle + RATE_BELOW, rate, "fold") for rate in _rates(geometry, item)),
        text("word name", geometry.gain, top + 13, f"f({last})"),
        text("word name", geometry.gain, bottom - 5, f"f({first})"),
        **marks.focusable(
            data_collapsed=f"p{first}", aria_label=words.collapsed_group(geometry.plan.network, first, last, item.blocks, item.name)
        ),
    )


def short_name(name: str) -> str:
    """Return the end of a group's name, which tells it from those beside it."""
    if len(name) > MOST_LETTERS:
        outer, _, last = name.rpartition("/")
        name = f"{outer.rpartition('/')[2]}/{last}" if last.isdigit() and outer else last
    return name if len(name) <= MOST_LETTERS else f"…{name[1 - MOST_LETTERS :]}"


def _rates(geometry: Geometry, item) -> list[str]:
    """Return the dropout of a collapsed group's layers, the smallest and the largest; nothing without dropout."""
    shares = sorted({layer.dropout for layer in geometry.plan.network.layers[item.first : item.last + 1]} - {0})
    low, high = (marks.rate(share, marks.LETTERED) for share in (shares[0], shares[-1])) if shares else ("", "")
    return [low if low == high else f"{low}–{high.removeprefix('p ')}"] if shares else []


def _stripes(geometry: Geometry, item, top: float, bottom: float) -> Markup:
    """Return one stripe a layer, the first layer lowest."""
    layers = item.layers
    count = min(len(layers), MOST_STRIPES)
    height = (bottom - top) / count
    drawn = []
    for place in range(count):
        layer = layers[place * len(layers) // count]
        y = bottom - (place + 1) * height
        drawn.append(rectangle("stripe", geometry.left, y, geometry.style.box_width, height, data_stripe=layer))
    return group("stripes", *drawn)


def mini_x(geometry: Geometry) -> float:
    """Return where the line of a collapsed group's own skips lies."""
    return geometry.left - geometry.style.pitch + 1


def inside(geometry: Geometry, index: int) -> list[tuple[int, float, float]]:
    """Return the skips that a collapsed group hides, each with the ends of its dash: number, lower and upper y."""
    plan, (top, bottom) = geometry.plan, geometry.items[index]
    item = plan.items[index]
    pixels = (bottom - top) / (item.last - item.first + 1)

    def dash(number_of: int) -> tuple[int, float, float]:
        skip = plan.network.skips[number_of]
        low = bottom - (skip.source - item.first) * pixels
        high = max(top, bottom - (skip.target - item.first) * pixels)
        inset = min(1.0, (low - high) * 0.25)
        return number_of, low - inset, high + inset

    return [dash(number_of) for number_of in plan.inside.get(index, ())]


def _mini_lane(geometry: Geometry, index: int) -> Markup:
    """Return the skips inside a collapsed group as dashes on one line, a ring for each that is off."""
    skips, x, dashes = geometry.plan.network.skips, mini_x(geometry), inside(geometry, index)
    on = [(low, high) for skip, low, high in dashes if skips[skip].in_force]
    off = [((low, high), skips[skip].id) for skip, low, high in dashes if not skips[skip].in_force]
    drawn = [path("mini", _dashes(x, on))] if on else []
    if off:
        drawn.append(path("mini off", _dashes(x, [dash for dash, _ in off])))
    return group("mini-lane", *drawn, *_rings(x, off))


def _dashes(x: float, dashes: list[tuple[float, float]]) -> str:
    return "".join(f"M{number(x)} {number(low)}V{number(high)}" for low, high in sorted(set(dashes), reverse=True))


def _rings(x: float, off: list) -> list[Markup]:
    """Return rings that do not overlap, each with the ids of the skips that it stands for."""
    rings: list[tuple[float, list[str]]] = []
    for (low, high), identifier in sorted(off, reverse=True):
        y = (low + high) / 2
        if rings and rings[-1][0] - y < RING_GAP:
            rings[-1][1].append(identifier)
        else:
            rings.append((y, [identifier]))
    return [
        circle(
            "ring",
            x,
            y,
            4,
            **marks.focusable(data_skip=" ".join(ids), aria_label=f"{len(ids)} folded skip{'s' if len(ids) > 1 else ''} off"),
        )
        for y, ids in rings
    ]
