"""Resizing between two sizes."""

from __future__ import annotations

from torch.nn import functional as F

from ..network.interpolation import arguments
from ..network.positions import Between
from .operation import Function


def resized(between: Between, mode: str) -> Function:
    """Return the function that resizes by `mode`, nearest or bilinear."""
    more = arguments(len(between.there), mode)
    return lambda h: F.interpolate(h, size=between.there, **more)
