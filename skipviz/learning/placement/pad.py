"""Zeros around."""

from torch.nn import functional as F

from ...network.positions import Between
from ..operation import Function


def function(between: Between) -> Function:
    around = between.around
    return lambda h: F.pad(h, around)
