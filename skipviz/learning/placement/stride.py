"""Every so-manieth position."""

from ...network.positions import Between
from ..operation import Function


def function(between: Between) -> Function:
    kept = (..., *[slice(None, None, between.step)] * len(between.there))
    return lambda h: h[kept]
