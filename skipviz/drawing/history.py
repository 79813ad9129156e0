"""What happened in a run as a picture of a thumb's size: the loss as a line over every layer's gradient as a strip.

Both have the run's steps as columns, from its first frame to its last. Imports the standard library only.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence

from .colours import RAMP_LENGTH, scaled
from .svg import number

WIDTH, HEIGHT = 120, 30
"""Size of the line's picture, in px."""

COLUMNS, ROWS = 60, 24
"""Most columns and rows of the strip: two px each, which an eye still tells apart."""

FRAMES = 2 * COLUMNS
"""Frames that are looked at: decoding all of a long run takes seconds and shows no more."""

FOLLOWED = 4
"""A loss beyond this many times the first one leaves the picture at its top, as in the loss plot."""

NOTHING = 255
"""A cell of the strip where nothing was measured; others are places on the ramp of the bars."""


def history(payloads: Sequence[bytes]) -> dict | None:
    """Return the picture of a run's encoded frames as data, or None where there are none.

    `lines`: SVG path data of each variant's loss; `strip`: the first variant's cells, the last layer first, as base64
    of one byte a cell in `rows` × `columns`.
    """
    frames = [json.loads(payload) for payload in _spread(payloads, FRAMES)]
    if not frames:
        return None
    steps = max(1, frames[-1]["step"])
    names = list(frames[0]["variants"])
    series = [_losses(frames, name) for name in names]
    ceiling = _ceiling(series)
    rows, columns, cells = _strip(frames, names[0], steps)
    lines = [_line(points, steps, ceiling) for points in series]
    strip = base64.b64encode(bytes(cells)).decode()
    return {"width": WIDTH, "height": HEIGHT, "lines": lines, "rows": rows, "columns": columns, "strip": strip}


def _spread(items: Sequence, count: int) -> list:
    """Return at most `count` items, evenly spread, the first and the last among them."""
    if len(items) <= count:
        return list(items)
    return [items[round(place * (len(items) - 1) / (count - 1))] for place in range(count)]


def _losses(frames: Iterable[dict], name: str) -> list[tuple[int, float]]:
    found = ((frame["step"], frame["variants"].get(name, {}).get("loss")) for frame in frames)
    return [(step, loss) for step, loss in found if loss is not None]


def _ceiling(series: list[list[tuple[int, float]]]) -> float:
    """Return the loss at the picture's top: the largest one, but not one that leaps off."""
    first = max((points[0][1] for points in series if points), default=0.0)
    largest = max((loss for points in series for _, loss in points), default=0.0)
    return min(largest, FOLLOWED * first) if first > 0 else largest


def _line(points: list[tuple[int, float]], steps: int, ceiling: float) -> str:
    """Return path data through the points, in a picture with a px free above and below."""
    parts = []
    for step, loss in points:
        share = min(1.0, max(0.0, loss / ceiling)) if ceiling > 0 else 0.0
        x, y = step / steps * WIDTH, HEIGHT - 1 - share * (HEIGHT - 2)
        parts.append(f"{'L' if parts else 'M'}{number(round(x, 1))} {number(round(y, 1))}")
    return "".join(parts) if len(parts) != 1 else f"{parts[0]}h1"


def _strip(frames: list[dict], name: str, steps: int) -> tuple[int, int, list[int]]:
    """Return rows, columns and cells; a column in which no frame lies repeats the one before it."""
    depth = next((len(values) for values in _gradients(frames, name)), 0)
    rows, columns = min(depth, ROWS), min(steps + 1, COLUMNS)
    cells = [NOTHING] * (rows * columns)
    filled: dict[int, list[int]] = {}
    for frame in frames:
        values = frame["variants"].get(name, {}).get("weight_grad")
        if values and len(values) == depth:
            filled[min(columns - 1, frame["step"] * columns // (steps + 1))] = _column(values, rows)
    shown: list[int] | None = None
    for column in range(columns):
        shown = filled.get(column, shown)
        for row, cell in enumerate(shown or ()):
            cells[(rows - 1 - row) * columns + column] = cell
    return rows, columns, cells


def _gradients(frames: Iterable[dict], name: str) -> Iterable[list]:
    return filter(None, (frame["variants"].get(name, {}).get("weight_grad") for frame in frames))


def _column(values: list, rows: int) -> list[int]:
    """Return the first layer's place on the ramp first; layers that share a row give their mean exponent."""
    groups: list[list[float]] = [[] for _ in range(rows)]
    dead = [True] * rows
    for index, value in enumerate(values):
        place, row = scaled(value), index * rows // len(values)
        if place is not None:
            groups[row].append(place)
            dead[row] = dead[row] and value == 0
    return [NOTHING if not group else _ramp_place(group, no) for group, no in zip(groups, dead, strict=True)]


def _ramp_place(places: list[float], dead: bool) -> int:
    return 0 if dead else round((RAMP_LENGTH - 1) * (0.22 + 0.78 * sum(places) / len(places)))
