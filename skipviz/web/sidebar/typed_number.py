"""Reads a number as a person types it into a field. `assets/js/common/typed_number.js` reads the same."""

from __future__ import annotations

import math
import re

LONGEST = 60
SPELLINGS = str.maketrans({"\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2212": "-", "\u2013": "-", "\u2019": "'"})
"""Other spaces, the true minus and the dash typed for it, and the other apostrophe."""
FORM = re.compile(r"([+-]?) ?([0-9][0-9., ']*|[.,][0-9]+)(?:[eE]([+-]?[0-9]{1,4}))?")
GROUPS = re.compile(r"[0-9]{1,3}(?:([., '])[0-9]{3})(?:\1[0-9]{3})*")
TWO_WAYS = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
"""What may be thousands, or a number with three decimals."""


def typed_number(text: str, whole: bool) -> float | None:
    """Return the number that was typed, None where it is none; its decimal mark is a point or a comma.

    Where one mark stands before three digits, as in 1,000, it parts thousands in a field of whole numbers, and is the decimal
    mark in any other.
    """
    found = FORM.fullmatch(text[: LONGEST + 1].translate(SPELLINGS).strip()) if len(text) <= LONGEST else None
    if not found:
        return None
    sign, digits, power = found.groups()
    mark = _decimal_mark(digits, whole and power is None)
    before, _, after = digits.partition(mark) if mark else (digits, "", "")
    if not before.isdigit() and before and not GROUPS.fullmatch(before):
        return None
    if after and not after.isdigit():
        return None
    value = float(f"{sign}{re.sub('[^0-9]', '', before) or '0'}.{after or '0'}e{power or '0'}")
    return value if math.isfinite(value) else None


def _decimal_mark(digits: str, whole: bool) -> str:
    """Return the decimal mark of an unsigned number, "" where it has none."""
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return ""
    mark = digits[last]
    return "" if digits.count(mark) > 1 or (whole and TWO_WAYS.fullmatch(digits)) else mark


def read_as(text: str, value: float) -> str:
    """Return in a sentence how a number was read that can be read in two ways, else nothing."""
    return f"{text.strip()} was read as {plain(value)}." if TWO_WAYS.fullmatch(text.strip()) else ""


def plain(value: float) -> str:
    """Return a number as a field shows it, so that it is read as the same again."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.12g}"
