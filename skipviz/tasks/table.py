"""A person's table: its columns as they were read, and what a network is given of them. numpy only."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from .own import COLUMNS_NAMED, FEWEST_SAMPLES, MOST_CLASSES, MOST_FEATURES, MOST_TABLE_INPUTS, Own, UploadError

FEW_NUMBERS = 10
"""Whole numbers of at most so many different values are rather classes than numbers."""
TARGET_NAMES = (
    "target", "label", "labels", "survived", "diagnosis", "income", "churn", "churned", "exited", "attrition", "default", "fraud",
    "isfraud", "deposit", "outcome", "species", "variety", "quality", "saleprice", "price", "preis", "medianhousevalue", "medv",
    "charges", "mpg", "class", "category", "result", "output", "response", "rating", "score", "grade", "y",
)  # fmt: skip
"""Names by which the target column is guessed, the surest first; otherwise it is the last one that can be."""
NOTHING = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "null"})
"""What stands for a missing value, in small letters."""
LONGEST_NOTHING = max(map(len, NOTHING))


@dataclass(frozen=True)
class Column:
    """One column. `values`: float64 with NaN where missing, or int32 places in `categories` with −1; None if left out."""

    name: str
    kind: Literal["number", "category", "id", "left out"]
    """An id holds numbers that are no inputs unless somebody takes them in."""
    missing: int
    distinct: int
    reason: str | None = None
    """Why it is left out, or an id; of a number, what else was taken as missing."""
    categories: tuple[str, ...] = ()
    values: np.ndarray | None = None
    comma: bool = False
    """Of numbers: whether they were written with a decimal comma."""
    unit: str = ""
    """Of numbers: what stood before or behind them and was passed over."""
    date: str = ""
    """Of days from 1970: what came first in their dates, "year", "day" or "month"."""
    written: str = ""
    """A value as it was written, where it can be read in two ways."""
    other: np.ndarray | None = None
    """The values read in the other way, where there are two: with the other decimal mark, or day and month exchanged."""

    @property
    def width(self) -> int:
        """How many inputs it makes."""
        return len(self.categories) + (self.missing > 0) if self.kind == "category" else 1

    def read_as(self, decimal: str | None, dates: str | None, taken: tuple[str, ...]) -> Column:
        """Return the column as somebody wants it read: mark or order where they are open, an id as numbers where it is taken in."""
        column = replace(self, kind="number", reason=None) if self.kind == "id" and self.name in taken else self
        if self.other is None or (dates if self.date else decimal) in (None, self.way):
            return column
        if self.date:
            return replace(column, values=self.other, other=self.values, date=dates)
        return replace(column, values=self.other, other=self.values, comma=not self.comma)

    @property
    def way(self) -> str:
        """What is taken for the decimal mark, or for what comes first in a date."""
        return self.date or ("comma" if self.comma else "point")


@dataclass(frozen=True)
class Table:
    """A table that was read. `preview` is the text of its first rows."""

    file: str
    rows: int
    columns: tuple[Column, ...]
    preview: tuple[tuple[str, ...], ...] = ()
    delimiter: str | None = None
    """What parts its columns; None where that was not noted."""
    source: dict = field(default_factory=dict)
    """How its rows are found in the file again, where that is not as in plain CSV: see `sharing.script.own_rows`."""
    notes: tuple[str, ...] = ()
    """What there is to say of the file itself, each the rest of a sentence."""

    def read_as(self, decimal: str | None = None, dates: str | None = None, taken: tuple[str, ...] = ()) -> Table:
        """Return the table as somebody wants it read, None being the likely way; ids that are `taken` in are numbers."""
        return replace(self, columns=tuple(column.read_as(decimal, dates, taken) for column in self.columns))

    def column(self, name: str) -> Column:
        """Return the column of that name; raises `UploadError`."""
        for column in self.columns:
            if column.name == name and column.kind in ("number", "category"):
                return column
        raise UploadError(f"{self.file} has no column {name} that could be predicted")

    def digest(self) -> str:
        """Return the SHA-256 of what was read: equal for equal tables, whatever the file's name and format."""
        found = hashlib.sha256(json.dumps(facts(self)["columns"], separators=(",", ":")).encode())
        for column in self.columns:
            for values in (column.values, column.other):
                if values is not None:
                    found.update(np.ascontiguousarray(values).tobytes())
        return found.hexdigest()

    def targets(self) -> list[str]:
        """Return the names of the columns that a network can be asked for."""
        return [column.name for column in self.columns if target_kinds(column)]

    def likely_target(self) -> str:
        """Return the column that is probably the target; raises `UploadError` if none can be."""
        names = self.targets()
        if not names:
            raise UploadError(f"no column of {self.file} can be predicted: each is left out or has more than {MOST_CLASSES} values")
        exact, last = {}, {}
        for name in names:
            words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", name)
            exact.setdefault("".join(words).lower(), name)
            last[words[-1].lower() if words else ""] = name
        last.pop("y", None)
        return next((found[name] for found in (exact, last) for name in TARGET_NAMES if name in found), None) or self._last(names)

    def _last(self, names: list[str]) -> str:
        """Return the last of some columns, one of dates only where there is no other."""
        return next((name for name in reversed(names) if not self.column(name).date), names[-1])


def facts(table: Table) -> dict:
    """Return all of a table but its values, as JSON data."""
    columns = [
        [column.name, column.kind, column.missing, column.distinct, column.reason, list(column.categories), *_more(column)]
        for column in table.columns
    ]
    commas = [place for place, column in enumerate(table.columns) if column.comma]
    written = {"delimiter": table.delimiter, "commas": commas, "source": table.source, "notes": table.notes}
    return {"file": table.file, "rows": table.rows, "columns": columns, "preview": table.preview, **written}


def _more(column: Column) -> list[dict]:
    """Return what there is to note of few columns only."""
    more = {name: getattr(column, name) for name in ("unit", "date", "written") if getattr(column, name)}
    return [more | {"way": column.way}] if more else []


def target_kinds(column: Column) -> tuple[str, ...]:
    """Return as what a column can be predicted, the likely way first: as one of some classes, as a number, or not at all."""
    if column.kind == "category":
        return ("classes",) if 2 <= column.distinct <= MOST_CLASSES else ()
    if column.kind != "number":
        return ()
    known = column.values[~np.isnan(column.values)]
    if column.distinct > MOST_CLASSES or column.date or not (known == np.round(known)).all():
        return ("numbers",)
    return ("classes", "numbers") if column.distinct <= FEW_NUMBERS else ("numbers", "classes")


def described(
    table: Table,
    target: str | None = None,
    kind: str | None = None,
    decimal: str | None = None,
    dates: str | None = None,
    taken: tuple[str, ...] = (),
) -> Own:
    """Return the description of the task of predicting column `target` (None: the likely one), as classes or numbers.

    The rest says how the table is to be read, see `Table.read_as`. Raises `UploadError` where that cannot be learned.
    """
    open_ways = {bool(column.date): column.way for column in table.columns if column.other is not None}
    decimal = decimal if open_ways.get(False, decimal) != decimal else None
    dates = dates if open_ways.get(True, dates) != dates else None
    taken = tuple(column.name for column in table.columns if column.kind == "id" and column.name in taken)
    as_kept, table = table, table.read_as(decimal, dates, taken)
    target = target or table.likely_target()
    column = table.column(target)
    kinds = target_kinds(column)
    if not kinds or (kind is not None and kind not in kinds):
        raise UploadError(f"{target} of {table.file} cannot be predicted as {kind or 'a number or one of some classes'}")
    kind = kind or kinds[0]
    rows, _, names = target_values(column, kind)
    if len(rows) < FEWEST_SAMPLES:
        raise UploadError(f"{target} is known in {len(rows)} rows of {table.file} and at least {FEWEST_SAMPLES} are needed")
    if kind == "classes" and len(names) < 2:
        raise UploadError(f"{target} has one value only in more than one row of {table.file}: there is nothing to tell apart")
    used = inputs(table, target)
    if not used:
        raise UploadError(f"{table.file} has no column beside {target} from which it could be predicted")
    shape = (sum(column.width for column in used),)
    columns = [column.name for column in used[:COLUMNS_NAMED]]
    return Own.of(as_kept, kind, target, len(rows), shape, names, columns, decimal=decimal, dates=dates, taken=taken)


def most_inputs(rows: int) -> int:
    """Return how many inputs a table of so many rows may have."""
    return min(MOST_FEATURES, MOST_TABLE_INPUTS // max(1, rows))


def inputs(table: Table, target: str) -> list[Column]:
    """Return the columns that the network reads, as many as there is room for; ids only where there is nothing else."""
    room = most_inputs(table.rows)
    there = [column for column in table.columns if column.name != target and column.values is not None]
    used = []
    for column in [column for column in there if column.kind != "id"] or there:
        if column.width <= room:
            used.append(column)
            room -= column.width
    return used


def target_values(column: Column, kind: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the rows in which a column is known, its classes (int64) or numbers (float64) there, and the classes' names.

    A class of a single row is left out with it: it could be either learned or asked for, not both.
    """
    if kind == "numbers":
        rows = np.flatnonzero(~np.isnan(column.values))
        return rows, column.values[rows], []
    if column.kind == "category":
        rows = np.flatnonzero(column.values >= 0)
        found, places, counts = np.unique(column.values[rows], return_inverse=True, return_counts=True)
        names = [column.categories[place] for place in found]
    else:
        rows = np.flatnonzero(~np.isnan(column.values))
        found, places, counts = np.unique(column.values[rows], return_inverse=True, return_counts=True)
        names = [f"{value:g}" if float(f"{value:g}") == value else f"{value:.0f}" for value in found.tolist()]
    often = counts > 1
    kept = often[places]
    renamed = np.cumsum(often) - 1
    return rows[kept], renamed[places[kept]].astype(np.int64), [name for name, keep in zip(names, often, strict=True) if keep]


def encoded(table: Table, own: Own) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return inputs float64 `(rows, inputs)` with NaN where a number is missing, the target, and which inputs are numbers."""
    table = table.read_as(own.decimal, own.dates, own.taken)
    column = table.column(own.target)
    rows, wanted, _ = target_values(column, own.kind)
    used = inputs(table, own.target)
    given = np.zeros((len(rows), sum(column.width for column in used)))
    is_number = np.zeros(given.shape[1], dtype=bool)
    place = 0
    for column in used:
        values = column.values[rows]
        if column.kind != "category":
            given[:, place] = values
            is_number[place] = True
        else:
            one = np.where(values < 0, len(column.categories), values)
            given[np.arange(len(rows)), place + one] = 1
        place += column.width
    return given, wanted, is_number
