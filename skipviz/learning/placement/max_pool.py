"""The largest of each window."""

from ...network.positions import Between
from ..operation import Function
from ..pooling import pooled


def function(between: Between) -> Function:
    return pooled(between, "max")
