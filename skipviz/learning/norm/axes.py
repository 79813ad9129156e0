"""What the norms' functions share."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from ...network.base import Shape

Function = Callable[[Tensor], Tensor]
EPSILON = 1e-5
"""Added to the variance; torch's default."""


def channels_second(function: Function, shape: Shape) -> Function:
    """Return a function whose channels are axis 1 as one of states of `shape`, whose channels are last in a sequence."""
    if len(shape) == 2:
        return lambda x: function(x.transpose(1, 2)).transpose(1, 2)
    return function
