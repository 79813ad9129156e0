"""Frames of several seeds as one: medians, and 10 % and 90 % quantiles of what plots draw. Imports no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain

import numpy as np

from .frame import BANDED, VariantFrame
from .frame_text import MARKS, NUMBER_LISTS, NUMBERS

QUANTILES = (0.5, 0.1, 0.9)
"""A frame's value, and the ends of its band; between two members by linear interpolation."""


def median(members: Sequence[VariantFrame]) -> VariantFrame:
    """Return the median over `members`, element by element, with `bands`; a value of None is left out of it.

    The picture is the first member's that has one. A mark stands where half of the members have it, and a name in `nonfinite`
    or `first_broken` where all of them have it.
    """
    first = members[0]
    found = VariantFrame(None, None, [], [], [], [], None, [], [], [], [], members=len(members), bands={})
    names = [name for name in (*NUMBERS, *NUMBER_LISTS) if _size(members, name)]
    sizes = {name: _size(members, name) for name in names}
    rows = [list(chain.from_iterable(_numbers(member, name, sizes[name]) for name in names)) for member in members]
    parts, place = quantiles(np.array(rows, dtype=np.float64)), 0
    for name in names:
        values = [[number if number == number else None for number in row[place : place + sizes[name]].tolist()] for row in parts]
        place += sizes[name]
        middle, low, high = (row[0] for row in values) if name in NUMBERS else values
        setattr(found, name, middle)
        if name in BANDED and middle is not None:
            found.bands[name] = [low, high]
    for mark in MARKS:
        setattr(found, mark, _common([getattr(member, mark) or {} for member in members]))
    found.nonfinite = [name for name in first.nonfinite if all(name in member.nonfinite for member in members)]
    found.first_broken = first.first_broken if all(member.first_broken for member in members) else None
    found.picture = next((member.picture for member in members if member.picture is not None), None)
    return found


def quantiles(rows: np.ndarray) -> np.ndarray:
    """Return `QUANTILES` of each column of `rows`, `(members, columns)`; NaN counts as no member, and as the result of none."""
    result = np.full((len(QUANTILES), rows.shape[1]), np.nan)
    there = ~np.isnan(rows)
    whole = there.all(axis=0)
    result[:, whole] = np.quantile(rows[:, whole], QUANTILES, axis=0)
    for column in np.flatnonzero(there.any(axis=0) & ~whole):
        result[:, column] = np.quantile(rows[there[:, column], column], QUANTILES)
    return result


def _size(members: Sequence[VariantFrame], name: str) -> int:
    """Return how many numbers a field has, 0 where no member has it."""
    values = [getattr(member, name) for member in members]
    if name in NUMBERS:
        return int(any(value is not None for value in values))
    return max(len(value or ()) for value in values)


def _numbers(member: VariantFrame, name: str, size: int) -> Sequence[float | None]:
    value = getattr(member, name)
    return [value] if name in NUMBERS else value or [None] * size


def _common(marks: list[dict[str, list[int]]]) -> dict[str, list[int]] | None:
    """Return the places that half of the members mark or more."""
    counts: dict[str, Counter[int]] = {}
    for field, places in chain.from_iterable(one.items() for one in marks):
        counts.setdefault(field, Counter()).update(places)
    kept = {field: sorted(place for place, count in found.items() if 2 * count >= len(marks)) for field, found in counts.items()}
    return {field: places for field, places in kept.items() if places} or None
