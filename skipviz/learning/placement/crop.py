"""A window."""

from ...network.positions import Between
from ..operation import Function


def function(between: Between) -> Function:
    kept = (..., *between.window) if between.images else (..., *between.window, slice(None))
    return lambda h: h[kept]
