"""There is no torch part of a watched module: its code is its owner's, and no recording holds any."""

from __future__ import annotations

from ...network.base import NetworkError, Shape
from ...network.operation import Watched as Operation
from .module import Module


class Watched(Module):
    """Says why it cannot be built."""

    def __init__(self, op: Operation, shape: Shape) -> None:
        raise NetworkError(
            f"{op.label()} is a module of somebody's own: its recording holds no code, so only the script that made it can run it"
        )
