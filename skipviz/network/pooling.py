"""Pooling from one size to another, whether it divides or not."""

from __future__ import annotations

from .positions import Between


def misfit(between: Between) -> str | None:
    """Return what is wrong with pooling between two sizes."""
    return None if between.shrinks else "pooling only takes positions together"


def written(state: str, between: Between, reduce: str) -> str:
    """Return the expression of `state` pooled by `reduce`, avg or max.

    The windows are those of the stride between both sizes, the last one cut off at the edge; where there is no such stride,
    each axis is cut into parts as equal as can be, of which two share a position where they must.
    """
    axes = f"{reduce}_pool{len(between.there)}d"
    return f"F.{axes}({state}, {between.step}, ceil_mode=True)" if between.step else f"F.adaptive_{axes}({state}, {between.there})"
