"""The words on a line, and where they stand so that they cover no box and no other line's words."""

from __future__ import annotations

from collections.abc import Container, Sequence

from . import marks, words
from .geometry import LABEL_GAP, Point
from .rows import Link, Plan

SHARES = (0.5, 0.38, 0.62, 0.26, 0.74, 0.14, 0.86)
"""Places on a leg that are tried, in this order."""
FINER, ASIDE = tuple(sorted((step / 40 for step in range(41)), key=lambda share: abs(share - 0.5))), (0, -0.6, 0.6, -1.2, 1.2)
"""Places that are tried where none of these is free, and how far aside of the line, in widths of what stands there."""

LABEL_PITCH = marks.BADGE_HEIGHT + 3
"""px from one label's middle to the next below it."""
GRID_GAP = 3.0
"""px below a grid."""


def widest(labels: Sequence[str]) -> float:
    """Return the width of the widest of a line's edge labels in px, 0 where it has none."""
    return max(map(marks.badge_width, labels), default=0.0)


def size(labels: Sequence[str], grid: float) -> tuple[float, float]:
    """Return the width and height in px of what stands on a line: a grid of that side, 0 for none, and edge labels below it."""
    return max(widest(labels), grid), len(labels) * LABEL_PITCH + (grid + GRID_GAP if grid else 0)


def free_place(leg: tuple[Point, Point], size: tuple[float, float], taken: list, edge: float | None = None) -> Point:
    """Return the place on a leg, upright or level, where what stands on it covers least of other lines', the middle if it is free.

    On an upright leg it is moved outwards until it is beside the boxes, whose side is at `edge`.
    """
    width, height = size
    (x1, x2), (y1, y2) = (sorted(ends) for ends in zip(*leg, strict=True))
    if not height:
        return (x1 + x2) / 2, (y1 + y2) / 2

    def box(share: float, aside: float = 0.0) -> tuple[float, float, float, float]:
        x, y = x1 + (x2 - x1) * share + aside * width, y1 + (y2 - y1) * share
        if edge is not None:
            clear = LABEL_GAP + width / 2
            x = min(x, edge - clear) if x < edge else max(x, edge + clear)
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2

    def covered(one: tuple[float, float, float, float]) -> float:
        sides = ((min(one[2], b[2]) - max(one[0], b[0]), min(one[3], b[3]) - max(one[1], b[1])) for b in taken)
        return sum(across * down for across, down in sides if across > 0 and down > 0)

    best = min(map(box, SHARES), key=covered)
    if covered(best):
        others = (box(share, aside) for aside in ASIDE for share in FINER)
        best = min((best, *(one for one in others if one[0] >= 0)), key=covered)
    taken.append(best)
    return (best[0] + best[2]) / 2, (best[1] + best[3]) / 2


def labelled(table: Plan, link: Link, branch: str) -> list[str]:
    """Return the words on a link: how many skips it stands for where it ends in a fold, its branch, and what is unusual of them."""
    count = [f"{len(link.skips)} skips"] if link.crosses_fold and len(link.skips) > 1 else []
    return [*count, *words.edge_labels(table.network, link.skips, branch)]


def branch_on(table: Plan, link: Link, openable: Container[str]) -> str:
    """Return the name of a link's branch as it stands on its line, '' where its boxes are drawn.

    It says so of those whose last nodes are `openable` into boxes.
    """
    name = "" if table.is_unfolded(link) else words.named(table.network, link.skips)
    opens = table.network.skips[link.skips[0]].via in openable and not link.crosses_fold
    return words.foldable(name) if name and opens else name
