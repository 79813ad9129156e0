"""Where the words on a line stand, so that they cover no box and no other line's words."""

from __future__ import annotations

from collections.abc import Sequence

from . import marks
from .geometry import CHIP_GAP, Point

SHARES = (0.5, 0.38, 0.62, 0.26, 0.74, 0.14, 0.86)
"""Places on a leg that are tried, in this order."""


def widest(labels: Sequence[str]) -> float:
    """Return the width of the widest of a line's chips in px, 0 where it has none."""
    return max(map(marks.chip_width, labels), default=0.0)


def free_place(leg: tuple[Point, Point], labels: Sequence[str], taken: list, edge: float | None = None) -> Point:
    """Return the place on a leg, upright or level, where chips cover least of other lines' chips, the middle if it is free.

    Chips on an upright leg are moved outwards until they are beside the boxes, whose side is at `edge`.
    """
    (x1, x2), (y1, y2) = (sorted(ends) for ends in zip(*leg, strict=True))
    if not labels:
        return (x1 + x2) / 2, (y1 + y2) / 2
    width, height = widest(labels), len(labels) * (marks.CHIP_HEIGHT + 3)

    def box(share: float) -> tuple[float, float, float, float]:
        x, y = x1 + (x2 - x1) * share, y1 + (y2 - y1) * share
        if edge is not None:
            clear = CHIP_GAP + width / 2
            x = min(x, edge - clear) if x < edge else max(x, edge + clear)
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2

    def covered(one: tuple[float, float, float, float]) -> float:
        sides = ((min(one[2], b[2]) - max(one[0], b[0]), min(one[3], b[3]) - max(one[1], b[1])) for b in taken)
        return sum(across * down for across, down in sides if across > 0 and down > 0)

    best = min(map(box, SHARES), key=covered)
    taken.append(best)
    return (best[0] + best[2]) / 2, (best[1] + best[3]) / 2
