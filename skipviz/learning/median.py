"""Frames of several seeds as one: medians, and 10 % and 90 % quantiles of what plots draw. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .frame import BANDED, VariantFrame
from .frame_text import NUMBER_LISTS, NUMBERS

QUANTILES = (0.5, 0.1, 0.9)
"""A frame's value, and the ends of its band; between two members by linear interpolation."""


Rows = dict[str, np.ndarray]
"""By field, the numbers of each member, `(members, numbers)`; NaN where a member has none."""


def median(members: Sequence[VariantFrame]) -> VariantFrame:
    """Return the median over `members`, element by element, with `bands`; a value of None is left out of it.

    The picture is the first member's that has one. A name stands in `nonfinite` or `first_broken` where it does
    for all of them; marks are left to whoever knows the network.
    """
    first = members[0]
    found = nothing(len(members))
    fill(found, rows_of([{name: getattr(member, name) for name in (*NUMBERS, *NUMBER_LISTS)} for member in members]))
    found.nonfinite = [name for name in first.nonfinite if all(name in member.nonfinite for member in members)]
    found.first_broken = first.first_broken if all(member.first_broken for member in members) else None
    found.picture = next((member.picture for member in members if member.picture is not None), None)
    return found


def rows_of(members: Sequence[Mapping]) -> Rows:
    """Return the numbers of members' fields, without fields that none of them has."""
    names = [name for name in members[0] if name in NUMBERS or name in NUMBER_LISTS]
    return {name: rows for name in names if (rows := _rows([member[name] for member in members], name)) is not None}


def nothing(members: int) -> VariantFrame:
    """Return the frame of so many members in which nothing stands yet."""
    return VariantFrame(None, None, [], [], [], [], None, [], [], [], [], members=members, bands={})


def fill(found: VariantFrame, rows_by_field: Rows) -> None:
    """Fill in the medians and bands of numbers."""
    parts, place = quantiles(np.concatenate(list(rows_by_field.values()), axis=1)), 0
    known = np.isfinite(parts).all()
    for name, rows in rows_by_field.items():
        values = parts[:, place : place + rows.shape[1]].tolist()
        place += rows.shape[1]
        if not known:
            values = [[number if number == number else None for number in row] for row in values]
        middle, low, high = (row[0] for row in values) if name in NUMBERS else values
        setattr(found, name, middle)
        if name in BANDED and middle is not None:
            found.bands[name] = [low, high]


def quantiles(rows: np.ndarray) -> np.ndarray:
    """Return `QUANTILES` of each column of `rows`, `(members, columns)`; NaN counts as no member, and as the result of none."""
    result = np.full((len(QUANTILES), rows.shape[1]), np.nan)
    there = ~np.isnan(rows)
    whole = there.all(axis=0)
    result[:, whole] = _of_whole(rows if whole.all() else rows[:, whole])
    for column in np.flatnonzero(there.any(axis=0) & ~whole):
        result[:, column] = np.quantile(rows[there[:, column], column], QUANTILES)
    return result


def _of_whole(rows: np.ndarray) -> np.ndarray:
    """Return `numpy.quantile` of columns without NaN, to the same bits and in half its time."""
    ordered = np.sort(rows.T, axis=1)
    places = np.array(QUANTILES) * (len(rows) - 1)
    low = places.astype(int)
    share = (places - low)[:, None]
    first, second = ordered[:, low].T, ordered[:, np.minimum(low + 1, len(rows) - 1)].T
    apart = second - first
    return np.where(share < 0.5, first + apart * share, second - apart * (1 - share))


def _rows(values: list, name: str) -> np.ndarray | None:
    """Return a field of all members, `(members, numbers)`, NaN where there is none; None where no member has the field."""
    if name in NUMBERS:
        return None if all(value is None for value in values) else np.array([values], dtype=np.float64).T
    size = next((len(value) for value in values if value), 0)
    return np.array([value or [None] * size for value in values], dtype=np.float64) if size else None
