"""Interpolated between the middles of positions."""

from ...network.positions import Between
from ..interpolation import resized
from ..operation import Function


def function(between: Between) -> Function:
    return resized(between, "bilinear")
