"""Resizing as torch names it, which has a word of its own for each number of axes."""

from __future__ import annotations

from .positions import Between

SMOOTH = {2: "bilinear", 3: "trilinear"}
"""torch's word for interpolation, by the number of axes."""


def arguments(axes: int, mode: str) -> dict:
    """Return what `F.interpolate` takes to resize by `mode`, nearest or bilinear."""
    return {"mode": SMOOTH[axes], "align_corners": False} if mode == "bilinear" else {"mode": "nearest"}


def written(state: str, between: Between, mode: str) -> str:
    """Return the expression of `state` resized."""
    more = f'"{SMOOTH[len(between.there)]}", align_corners=False' if mode == "bilinear" else '"nearest"'
    return f"F.interpolate({state}, size={between.there}, mode={more})"
