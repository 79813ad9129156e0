"""A claim's rows as a small picture for a card: lines, bars or heights, what is predicted dashed, the band shaded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from .svg import Markup, group, number, path, polyline, rectangle, tag

WIDTH, HEIGHT = 280, 132
MARGIN = 6
MOST_POINTS = 24
"""Of a series whose points are marked."""
Place = Callable[[float], float]


def claim_thumbnail(kind: str, log_y: bool, rows: Sequence[dict]) -> str:
    """Return an SVG of 280 × 132 px of rows with `x`, `series` and `measured`, `predicted`, `low` or `high`; nothing else is read.

    A series' parts are in a group of class `s0`, `s1`, …, whose colour is that of the series.
    """
    rows = [row for row in rows if row.get("x") is not None]
    drawn = (_heights if kind == "surface" else _bars if kind == "bars" else _lines)(rows, log_y) if rows else []
    if kind != "surface" or not rows:
        drawn.insert(0, path("axis", polyline((MARGIN, MARGIN), (MARGIN, HEIGHT - MARGIN), (WIDTH - MARGIN, HEIGHT - MARGIN))))
    size = {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "preserveAspectRatio": "none"}
    name = {"xmlns": "http://www.w3.org/2000/svg", "class": "sv-claim-picture", "aria-hidden": "true"}
    return str(tag("svg", {**name, **size}, *drawn))


def by_series(rows: Iterable[dict]) -> dict[str, list[dict]]:
    """Return the rows of each series, in the order in which the series come."""
    found: dict[str, list[dict]] = {}
    for row in rows:
        found.setdefault(str(row["series"]), []).append(row)
    return found


def _lines(rows: list[dict], log_y: bool) -> list[Markup]:
    y = _vertical(rows, log_y)
    x = _scale([row["x"] for row in rows], MARGIN, WIDTH - MARGIN)
    drawn = []
    for place, found in enumerate(by_series(rows).values()):
        parts = [_band(found, x, y)] if any("low" in row or "high" in row for row in found) else []
        for name in ("predicted", "measured"):
            points = [(x(row["x"]), y(row[name])) for row in found if _shown(row.get(name), log_y)]
            if points:
                parts.append(path(name, polyline(*points)))
            if name == "measured" and len(points) <= MOST_POINTS:
                parts += [path("point", f"M{number(left)} {number(top)}h0") for left, top in points]
        drawn.append(group(f"s{place}", *parts))
    return drawn


def _band(rows: list[dict], x: Place, y: Place) -> Markup:
    """Return the band as one area; an open side reaches to the picture's edge."""
    found = [row for row in rows if row.get("low") is not None or row.get("high") is not None]
    upper = [(x(row["x"]), MARGIN if row.get("high") is None else y(row["high"])) for row in found]
    lower = [(x(row["x"]), HEIGHT - MARGIN if row.get("low") is None else y(row["low"])) for row in found]
    return path("band", polyline(*upper, *reversed(lower)) + "Z")


def _bars(rows: list[dict], log_y: bool) -> list[Markup]:
    y, series = _vertical(rows, log_y, zero=True), by_series(rows)
    places = list(dict.fromkeys(row["x"] for row in rows))
    pitch = (WIDTH - 2 * MARGIN) / len(places)
    wide = 0.76 * pitch / len(series)
    drawn = []
    for place, found in enumerate(series.values()):
        parts = []
        for row in found:
            left = MARGIN + places.index(row["x"]) * pitch + 0.12 * pitch + place * wide
            if row.get("low") is not None or row.get("high") is not None:
                top = MARGIN if row.get("high") is None else y(row["high"])
                low = HEIGHT - MARGIN if row.get("low") is None else y(row["low"])
                parts.append(rectangle("band", left - 1, top, wide + 2, max(0.0, low - top)))
            if _shown(row.get("measured"), log_y):
                parts.append(rectangle("bar", left, y(row["measured"]), wide - 1, max(1.0, HEIGHT - MARGIN - y(row["measured"]))))
            if _shown(row.get("predicted"), log_y):
                parts.append(path("predicted", polyline((left, y(row["predicted"])), (left + wide, y(row["predicted"])))))
        drawn.append(group(f"s{place}", *parts))
    return drawn


def _heights(rows: list[dict], log_y: bool) -> list[Markup]:
    """Return each series as a field of squares, the higher the darker."""
    series = by_series(row for row in rows if _shown(row.get("measured"), log_y))
    wide, drawn = WIDTH / max(1, len(series)), []
    for place, found in enumerate(series.values()):
        columns, lines = (sorted({row[name] for row in found}) for name in ("x", "y"))
        tone = _scale([_height(row["measured"], log_y) for row in found], 0.08, 1)
        width, height = (wide - 2 * MARGIN) / len(columns), (HEIGHT - 2 * MARGIN) / len(lines)
        squares = []
        for row in found:
            corner = place * wide + MARGIN + columns.index(row["x"]) * width, MARGIN + lines.index(row["y"]) * height
            opacity = f"{tone(_height(row['measured'], log_y)):.2f}"
            squares.append(rectangle("square", *corner, width + 0.3, height + 0.3, fill_opacity=opacity))
        drawn.append(group(f"s{place}", *squares))
    return drawn


def _vertical(rows: list[dict], log_y: bool, zero: bool = False) -> Place:
    """Return where a value stands; the axis reaches from the smallest to the largest measured or predicted one."""
    values = [row.get(name) for row in rows for name in ("measured", "predicted")]
    if not any(_shown(value, log_y) for value in values):
        values = [row.get(name) for row in rows for name in ("low", "high")]
    known = [_height(value, log_y) for value in values if _shown(value, log_y)] + [0.0] * zero
    scale = _scale(known or [0.0, 1.0], HEIGHT - MARGIN, MARGIN)

    def place(value: float) -> float:
        least = -math.inf if log_y and value <= 0 else _height(value, log_y)
        return min(HEIGHT - 1.0, max(1.0, scale(least)))

    return place


def _scale(values: Sequence[float], first: float, last: float) -> Place:
    """Return the map of the smallest of `values` to `first` and of the largest to `last`."""
    low, high = min(values), max(values)
    span = high - low or 1.0
    return lambda value: first + (last - first) * (value - low) / span


def _height(value: float, log_y: bool) -> float:
    return math.log10(value) if log_y else value


def _shown(value: float | None, log_y: bool) -> bool:
    return value is not None and not (log_y and value <= 0)
