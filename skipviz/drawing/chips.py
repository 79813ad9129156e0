"""Where the words on a line stand, so that they cover no other line's words."""

from __future__ import annotations

from . import marks
from .geometry import Point

SHARES = (0.5, 0.38, 0.62, 0.26, 0.74, 0.14, 0.86)
"""Places on a leg that are tried, in this order."""


def free_place(leg: tuple[Point, Point], labels: list[str], taken: list) -> Point:
    """Return the place on a leg, upright or level, where chips cover no chip of another line, the middle if there is none."""
    (x1, x2), (y1, y2) = (sorted(ends) for ends in zip(*leg, strict=True))
    middle = (x1 + x2) / 2, (y1 + y2) / 2
    if not labels:
        return middle
    width = max(marks.chip_width(label) for label in labels)
    height = len(labels) * (marks.CHIP_HEIGHT + 3)
    for share in SHARES:
        x, y = x1 + (x2 - x1) * share, y1 + (y2 - y1) * share
        box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        if not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
            taken.append(box)
            return x, y
    return middle
