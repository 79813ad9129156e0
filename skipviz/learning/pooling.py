"""Pooling between two sizes."""

from __future__ import annotations

from torch.nn import functional as F

from ..network.positions import Between
from .operation import Function


def pooled(between: Between, reduce: str) -> Function:
    """Return the function that pools by `reduce`, avg or max."""
    axes, step, there = f"{reduce}_pool{len(between.there)}d", between.step, between.there
    if step:
        pool = getattr(F, axes)
        return lambda h: pool(h, step, ceil_mode=True)
    adaptive = getattr(F, f"adaptive_{axes}")
    return lambda h: adaptive(h, there)
