"""Every claim as it was measured once with its usual controls: what a server shows that has not measured it yet."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from .claim import Row

FILE = Path(__file__).resolve().parents[2] / "assets" / "evidence.json"


class Recording(NamedTuple):
    """A measurement that comes with the project."""

    date: str
    """The day on which it was made, as 2026-12-01."""
    torch: str
    """The version that measured."""
    rows: tuple[Row, ...]
    """To six digits."""
    verdict: Row
    """What the claim's band says of these rows."""


@cache
def recordings() -> dict[str, Recording]:
    """Return the recording of every claim by its name."""
    file = json.loads(FILE.read_text(encoding="utf-8"))
    made = file["date"], file["torch"]
    return {name: Recording(*made, tuple(rows_of(one["columns"])), one["verdict"]) for name, one in file["claims"].items()}


def columns(rows: Iterable[Row]) -> dict[str, list]:
    """Return rows as the file has them: a list for each column, to six digits, with null where a row has none."""
    rows = list(rows)
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [_rounded(row.get(name)) for row in rows] for name in names}


def rows_of(columns: dict[str, list]) -> Iterable[Row]:
    """Yield the rows of `columns`."""
    for values in zip(*columns.values(), strict=True):
        yield {name: value for name, value in zip(columns, values, strict=True) if value is not None or name == "measured"}


def _rounded(value):
    return float(f"{value:.6g}") if isinstance(value, float) else value
