"""Where the words on a line stand, so that they cover no other line's words."""

from __future__ import annotations

from . import marks


def free_place(x: float, leg: tuple[float, float], labels: list[str], taken: list) -> float:
    """Return the y on a leg where chips cover no chip of another line, the middle if there is none."""
    low, high = sorted(leg)
    if not labels:
        return (low + high) / 2
    width = max(marks.chip_width(label) for label in labels)
    height = len(labels) * (marks.CHIP_HEIGHT + 3)
    for share in (0.5, 0.38, 0.62, 0.26, 0.74, 0.14, 0.86):
        y = low + (high - low) * share
        box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        if not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
            taken.append(box)
            return y
    return (low + high) / 2
