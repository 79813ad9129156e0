"""A network as a drawing of a thumb's size, for cards and lists: boxes, trunk and red lines, no words."""

from __future__ import annotations

from ..network.groups import groups_of
from ..network.network import Network
from ..network.skip import Skip
from .lanes import LEFT, Lane, Span, assign
from .svg import Markup, path, polyline, rectangle, tag

WIDTH, HEIGHT = 56, 72
MOST_LAYERS = 8
"""Boxes that still look like boxes at this size; of a deeper network a stretch of its repeating part is drawn."""

MOST_SKIPS = 4
"""Skips that still are lines of their own where a whole deep network is drawn."""

BOX_WIDTH = 18
MARGIN = 5


def thumbnail(network: Network) -> str:
    """Return an SVG of 56 × 72 px; its colours are the diagram's variables."""
    count = min(network.depth, MOST_LAYERS)
    blocks = groups_of(network).blocks if count < network.depth else ()
    first = min(blocks[0].first, network.depth - count) if blocks else 0
    skips = [skip for skip in network.skips if first <= skip.source and _reach(network, skip) <= first + count]
    if not skips:
        skips = _drawn_together(network, count)
        first = 0
    pitch = (HEIGHT - 2 * MARGIN) / count
    lanes = assign([Span(_low(skip, first), _high(skip, first)) for skip in skips])
    middle = WIDTH / 2
    drawn = [path("trunk", polyline((middle, HEIGHT), (middle, 0)))]
    drawn += [_skip(skip, lane, first, pitch, lanes) for skip, lane in zip(skips, lanes, strict=True)]
    for row in range(count):
        y = HEIGHT - MARGIN - (row + 0.5) * pitch
        drawn.append(rectangle("face", middle - BOX_WIDTH / 2, y - pitch * 0.26, BOX_WIDTH, pitch * 0.52))
    for row in sorted({skip.target - first for skip in skips if not skip.joins}):
        drawn.append(rectangle("joint", middle - 2, HEIGHT - MARGIN - (row - 0.08) * pitch - 2, 4, 4))
    size = {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "width": WIDTH, "height": HEIGHT}
    name = {"xmlns": "http://www.w3.org/2000/svg", "class": "sv-thumbnail", "aria-hidden": "true"}
    return str(tag("svg", {**name, **size}, *drawn))


def _drawn_together(network: Network, count: int) -> list[Skip]:
    """Return the longest skips with their ends moved onto `count` boxes, for a network whose skips pass more than these."""
    longest = sorted(network.skips, key=lambda skip: skip.source - skip.target)[:MOST_SKIPS]
    moved = {}
    for skip in longest:
        source, target = (round(state * count / network.depth) for state in (skip.source, skip.target))
        source, target = min(source, count - 1), min(max(target, source + 1), count - skip.joins)
        if source < target:
            moved[source, target] = skip.model_copy(update={"source": source, "target": target})
    return list(moved.values())


def _reach(network: Network, skip) -> int:
    """Return the last layer that a drawn skip needs: the reader of a concat, if it is not the head."""
    return min(skip.target + 1, network.depth) if skip.joins else skip.target


def _low(skip, first: int) -> float:
    """Return the height of a skip's tap in rows."""
    return skip.source - first + 0.08


def _high(skip, first: int) -> float:
    """Return the height of a skip's end in rows: the reader's middle, or a joint under the next tap."""
    return skip.target - first + (0.5 if skip.joins else -0.08)


def _skip(skip, lane: Lane, first: int, pitch: float, lanes: list[Lane]) -> Markup:
    outward = -1 if lane.side == LEFT else 1
    most = max(other.index for other in lanes) + 1
    step = min(6.0, (WIDTH / 2 - BOX_WIDTH / 2 - 2) / most)
    middle = WIDTH / 2
    x = middle + outward * (BOX_WIDTH / 2 + step * (lane.index + 1))
    low, high = (HEIGHT - MARGIN - rows * pitch for rows in (_low(skip, first), _high(skip, first)))
    end = middle + outward * (BOX_WIDTH / 2 if skip.joins else 2)
    return path("skip" if skip.in_force else "skip off", polyline((middle, low), (x, low), (x, high), (end, high)))
