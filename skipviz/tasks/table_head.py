"""What a table's first rows are: names, units, or values already. Imports no numpy."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise

from .numerals import day, number
from .own import shown
from .table import LONGEST_NOTHING, NOTHING

SAMPLED = 200
"""Rows by which it is guessed what the first ones are."""
CELLS_SAMPLED = 40
MOSTLY = 0.8
"""Share of a column's sampled values that are numbers where it is a column of numbers."""
COUNTED_NAMES = 4
"""So many whole numbers that count on from column to column are names, as pandas gives them."""
LONGEST_UNIT = 16
"""Characters."""
AROUND = re.compile(
    r"[+\-\u2212]?([A-Z]{0,3}[$€£¥₹])?\s?([+\-\u2212]?\d[\d.,'’\s]*(?:[eE][+-]?\d+)?)\s?([%°€$£¥₹µ]\S{0,9}|[^\W\d_][^\s,;]{0,9})?"
)
"""A number with what may stand before or behind it: a currency, a unit."""
_IN_BRACKETS = re.compile(r"[\[(].{0,14}[\])]")


def head_of(rows: Sequence[Sequence[str]]) -> tuple[list[str] | None, list[str] | None]:
    """Return the row of names and the row of units under it, each None where there is none."""
    if not _is_names(rows[0], rows[1 : SAMPLED + 1]):
        return None, None
    units = rows[1] if len(rows) > 3 and _is_units(rows[1], rows[2 : SAMPLED + 2]) else None
    return list(rows[0]), units


def names_of(head: Sequence[str] | None, width: int) -> list[str]:
    """Return the columns' names, each different, as they may be shown; numbered where there is no `head`."""
    names: list[str] = []
    for place, cell in enumerate(head or [""] * width, start=1):
        cell = re.sub(r"^[#%]\s*(?=\S)", "", cell.strip()) if place == 1 else cell
        name = stem = shown(cell, 34) or f"column {place}"
        again = 1
        while name in names:
            again += 1
            name = f"{stem} ({again})"
        names.append(name)
    return names


def is_number(cell: str) -> bool:
    """Return whether a cell holds a number or a date in any of the ways in which people write them."""
    if any(not math.isnan(day(cell, first)) for first in ("year", "day", "month")):
        return True
    if not math.isnan(number(cell)):
        return True
    found = AROUND.fullmatch(cell)
    return bool(found) and not all(math.isnan(number(found[2].strip(), comma)) for comma in (False, True))


def is_nothing(cell: str) -> bool:
    """Return whether a cell, stripped, stands for a missing value."""
    return len(cell) <= LONGEST_NOTHING and cell.lower() in NOTHING


def _columns(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[cell for cell in map(str.strip, column) if not is_nothing(cell)] for column in zip(*rows, strict=True)]


def sampled(cells: list[str]) -> list[str]:
    """Return some cells from all along a column."""
    return cells[:: max(1, len(cells) // CELLS_SAMPLED)]


def holds_numbers(cells: list[str]) -> bool:
    """Return whether most of a column's known cells are numbers or dates, by some of them."""
    some = sampled(cells)
    return bool(some) and sum(map(is_number, some)) >= MOSTLY * len(some)


def _is_names(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row names the columns: more of its cells differ in kind from what is below than are like it."""
    cells = [cell.strip() for cell in first]
    if not below or _counts(cells):
        return True
    like, unlike = 0, 0
    for cell, column in zip(cells, _columns(below), strict=True):
        if is_nothing(cell) or not column:
            continue
        if holds_numbers(column):
            like, unlike = like + is_number(cell), unlike + (not is_number(cell))
        elif cell in column:
            like += 1
        elif 2 * len(set(column)) <= len(column):
            unlike += 1
    return like <= unlike


def _counts(cells: list[str]) -> bool:
    """Return whether the numbers among the cells are whole and count on: years, or pandas' names of columns that have none."""
    numbers = [int(cell) for cell in cells if re.fullmatch(r"\d{1,5}", cell)]
    follow = len(numbers) >= 2 and all(b - a == 1 for a, b in pairwise(numbers))
    return follow and (len(numbers) >= COUNTED_NAMES or 1800 <= numbers[0] <= 2200) and (len(numbers) >= len(cells) - 2)


def _is_units(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Return whether a row holds units: short words where numbers are below, nothing or a word of its own elsewhere."""
    units = brackets = 0
    for cell, column in zip(map(str.strip, row), _columns(below), strict=True):
        if holds_numbers(column):
            if is_number(cell) or len(cell) > LONGEST_UNIT:
                return False
            units += not is_nothing(cell)
            brackets += bool(_IN_BRACKETS.fullmatch(cell))
        elif cell in column:
            return False
    return units >= 2 or brackets > 0
