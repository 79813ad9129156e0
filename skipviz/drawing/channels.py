"""The level pieces of lines between two ranks, each on a track where it lies over no other. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Turn:
    """A line that comes up at x = `low`, runs level and goes on up at x = `high`; of one `state` they may share their way up."""

    low: float
    high: float
    state: object = None

    @property
    def span(self) -> tuple[float, float]:
        """Its ends from left to right."""
        return min(self.low, self.high), max(self.low, self.high)

    def covers(self, x: float) -> bool:
        """Return whether its level piece reaches over x."""
        return self.span[0] <= x <= self.span[1]


def _cost(lower: Turn, upper: Turn) -> int:
    """Return how much two lines disturb each other where the first runs below the second."""
    shared = lower.state is not None and lower.state == upper.state
    over = 40 * (lower.high == upper.low)
    return over + upper.covers(lower.high) + (not shared and lower.covers(upper.low))


def _meet(one: Turn, other: Turn) -> bool:
    """Return whether two level pieces would touch; those that leave one state for its two sides may."""
    left, right = max(one.span[0], other.span[0]), min(one.span[1], other.span[1])
    return left < right or (left == right and (one.state is None or one.state != other.state))


def tracks(turns: Sequence[Turn]) -> list[int]:
    """Return the track of each turn, the lowest 0: few crossings, and no two level pieces over each other."""
    order = sorted(range(len(turns)), key=lambda index: (turns[index].span[0] - turns[index].span[1], index))
    for _ in order:
        moved = False
        for place in range(len(order) - 1):
            one, other = (turns[index] for index in order[place : place + 2])
            if _cost(other, one) < _cost(one, other):
                order[place : place + 2] = order[place + 1], order[place]
                moved = True
        if not moved:
            break
    found = [0] * len(turns)
    for place, index in enumerate(order):
        met = [found[one] for one in order[:place] if _meet(turns[one], turns[index])]
        found[index] = max(met, default=-1) + 1
    return found
