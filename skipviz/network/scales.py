"""On which scale every state of a network is, and where a network that goes down in scale and up again turns.

Imports the network only.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from .base import is_image
from .network import Network

MOST_LAYERS = 120
"""Layers of the deepest network that is drawn as a U; folded blocks are the column's."""


@dataclass(frozen=True)
class Scales:
    """A network that goes down in scale and up again: the layers before `turn` go down, the others up."""

    levels: tuple[int, ...]
    """Of every state h_0..h_n, 0 the finest."""
    turn: int
    """The state between the two ways."""
    steps: tuple[Fraction, ...] = ()
    """Of every level, how much coarser it is than what comes in."""

    def coarser(self, level: int | None, factor: Fraction) -> int | None:
        """Return the level that is `factor` times as coarse as another; None where none is."""
        step = None if level is None else self.steps[level] * factor
        return self.steps.index(step) if step in self.steps else None

    @property
    def count(self) -> int:
        """How many levels there are."""
        return max(self.levels) + 1


def scales(network: Network) -> Scales | None:
    """Return the scales of a network that can be drawn as a U, or None.

    Strides and factors decide, not sides: valid convolutions take a rim off and leave the scale.
    """
    if network.depth > MOST_LAYERS or not all(is_image(shape) for shape in network.shapes.states):
        return None
    steps = [Fraction(1)]
    for layer in network.layers:
        steps.append(steps[-1] * layer.op.coarsens)
    ups = [k for k, (before, after) in enumerate(pairwise(steps)) if after < before]
    downs = [k for k, (before, after) in enumerate(pairwise(steps)) if after > before]
    if not ups or not downs or downs[-1] > ups[0]:
        return None
    rank = {step: place for place, step in enumerate(sorted(set(steps)))}
    lowest = downs[-1] + 1
    turn = min(ups[0], lowest + -(-(ups[0] - lowest + 1) // 2))
    return Scales(tuple(rank[step] for step in steps), turn, tuple(rank))
