"""Numbers and dates as people write them. The standard library only: a script holds this very source, and so reads the same."""

from __future__ import annotations

import math
import re
from datetime import date

LARGEST_NUMBER = 1e30
"""Numbers beyond it are taken as missing, so that squares and sums stay finite."""
POINT = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{2,3})*,\d{3}|\d{1,3}(?:[ '’]\d{3})+|\d*)(?:\.\d*)?(?:[eE][+-]?\d+)?")
COMMA = re.compile(r"[+-]?(?:\d{1,3}(?:\.\d{3})+|\d{1,3}(?:[ '’]\d{3})+|\d*)(?:,\d*)?(?:[eE][+-]?\d+)?")
"""Numbers with a decimal point and with a decimal comma; what parts their thousands is another mark."""
SPELLINGS = {"\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2212": "-"}
"""Other spaces, and the true minus."""
DATE = re.compile(r"(\d{4}|\d\d?)([-/.])(\d\d?)\2(\d{4}|\d\d?)(?:[T ](\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?Z?)?")
EPOCH = 719163
"""1 January 1970, counted from the year 1."""


def number(cell: str, comma: bool = False, unit: str = "") -> float:
    """Return the number that a cell holds, NaN where it is none; `comma` is its decimal mark, `unit` stands before or behind."""
    text = cell
    for odd, usual in SPELLINGS.items():
        text = text.replace(odd, usual)
    if unit:
        text = text.replace(unit, "", 1).strip()
    if (COMMA if comma else POINT).fullmatch(text):
        for mark in marks_within(comma):
            text = text.replace(mark, "")
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if abs(value) <= LARGEST_NUMBER and "_" not in text else math.nan


def marks_within(comma: bool) -> str:
    """Return what may part the thousands of a number."""
    return ". '’" if comma else ", '’"


def day(cell: str, first: str) -> float:
    """Return the days from 1970 to the date that a cell holds, NaN where it is none; its year, day or month comes `first`."""
    found = DATE.fullmatch(cell)
    if not found:
        return math.nan
    one, _, two, three, *clock = found.groups()
    year, month, in_month = {"year": (one, two, three), "day": (three, two, one), "month": (three, one, two)}[first]
    century = (1900 if int(year) > 68 else 2000) if len(year) == 2 else 0
    hours, minutes, seconds = (int(part or 0) for part in clock)
    if len(year) == 1:
        return math.nan
    try:
        days = date(century + int(year), int(month), int(in_month)).toordinal() - EPOCH
    except ValueError:
        return math.nan
    return days + (3600 * hours + 60 * minutes + seconds) / 86400
