"""A person's table: its columns as they were read, and what a network is given of them. numpy only."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .own import COLUMNS_NAMED, FEWEST_SAMPLES, MOST_CLASSES, MOST_FEATURES, MOST_TABLE_INPUTS, Own, UploadError

FEW_NUMBERS = 10
"""A column of at most so many different whole numbers may be classes."""
TARGET_NAMES = ("target", "label", "labels", "class", "y", "species", "outcome")
"""Names by which the column to be told is guessed; otherwise it is the last one that can be."""
NOTHING = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "null"})
"""What stands for a missing value, in small letters."""


@dataclass(frozen=True)
class Column:
    """One column. `values`: float64 with NaN where missing, or int32 places in `categories` with −1; None if left out."""

    name: str
    kind: Literal["number", "category", "left out"]
    missing: int
    distinct: int
    reason: str | None = None
    """Why it is left out; of a number, what else was taken as missing."""
    categories: tuple[str, ...] = ()
    values: np.ndarray | None = None
    comma: bool = False
    """Of numbers: whether they were written with a decimal comma."""

    @property
    def width(self) -> int:
        """How many inputs it makes."""
        return 1 if self.kind == "number" else len(self.categories) + (self.missing > 0)


@dataclass(frozen=True)
class Table:
    """A table that was read. `preview` is the text of its first rows."""

    file: str
    rows: int
    columns: tuple[Column, ...]
    preview: tuple[tuple[str, ...], ...] = ()
    delimiter: str | None = None
    """What parts its columns; None where that was not noted."""

    def column(self, name: str) -> Column:
        """Return the column of that name; raises `UploadError`."""
        for column in self.columns:
            if column.name == name and column.kind != "left out":
                return column
        raise UploadError(f"{self.file} has no column {name} that could be told")

    def digest(self) -> str:
        """Return the SHA-256 of what was read: equal for equal tables, whatever the file's name and format."""
        found = hashlib.sha256(json.dumps(facts(self)["columns"], separators=(",", ":")).encode())
        for column in self.columns:
            if column.values is not None:
                found.update(np.ascontiguousarray(column.values).tobytes())
        return found.hexdigest()

    def targets(self) -> list[str]:
        """Return the names of the columns that a network can be asked for."""
        return [column.name for column in self.columns if told_kinds(column)]

    def likely_target(self) -> str:
        """Return the column that is probably to be told; raises `UploadError` if none can be."""
        names = self.targets()
        if not names:
            raise UploadError(f"no column of {self.file} can be told: each is left out or has more than {MOST_CLASSES} values")
        return next((name for name in names if name.lower() in TARGET_NAMES), names[-1])


def facts(table: Table) -> dict:
    """Return all of a table but its values, as JSON data."""
    columns = [
        [column.name, column.kind, column.missing, column.distinct, column.reason, list(column.categories)]
        for column in table.columns
    ]
    commas = [place for place, column in enumerate(table.columns) if column.comma]
    written = {"delimiter": table.delimiter, "commas": commas}
    return {"file": table.file, "rows": table.rows, "columns": columns, "preview": table.preview, **written}


def told_kinds(column: Column) -> tuple[str, ...]:
    """Return how a column can be told, the likely way first: as one of some classes, as a number, or not at all."""
    if column.kind == "category":
        return ("classes",) if 2 <= column.distinct <= MOST_CLASSES else ()
    if column.kind != "number":
        return ()
    known = column.values[~np.isnan(column.values)]
    if column.distinct <= FEW_NUMBERS and (known == np.round(known)).all():
        return ("classes", "numbers")
    return ("numbers",)


def described(table: Table, target: str, kind: str | None = None) -> Own:
    """Return the description of the task of telling column `target`, as classes or numbers (None: the likely way).

    Raises `UploadError` where that cannot be learned.
    """
    column = table.column(target)
    kinds = told_kinds(column)
    if not kinds or (kind is not None and kind not in kinds):
        raise UploadError(f"{target} of {table.file} cannot be told as {kind or 'a number or one of some classes'}")
    kind = kind or kinds[0]
    rows, _, names = told(column, kind)
    if len(rows) < FEWEST_SAMPLES:
        raise UploadError(f"{target} is known in {len(rows)} rows of {table.file} and at least {FEWEST_SAMPLES} are needed")
    if kind == "classes" and len(names) < 2:
        raise UploadError(f"{target} has one value only in more than one row of {table.file}: there is nothing to tell apart")
    used = inputs(table, target)
    if not used:
        raise UploadError(f"{table.file} has no column beside {target} from which it could be told")
    shape = (sum(column.width for column in used),)
    return Own.of(table, kind, target, len(rows), shape, names, [column.name for column in used[:COLUMNS_NAMED]])


def inputs(table: Table, target: str) -> list[Column]:
    """Return the columns that the network reads, as many as there is room for."""
    room = min(MOST_FEATURES, MOST_TABLE_INPUTS // max(1, table.rows))
    used = []
    for column in table.columns:
        if column.name != target and column.kind != "left out" and column.width <= room:
            used.append(column)
            room -= column.width
    return used


def told(column: Column, kind: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
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
        names = [f"{value:g}" for value in found]
    often = counts > 1
    kept = often[places]
    renamed = np.cumsum(often) - 1
    return rows[kept], renamed[places[kept]].astype(np.int64), [name for name, keep in zip(names, often, strict=True) if keep]


def encoded(table: Table, own: Own) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return inputs float64 `(rows, inputs)` with NaN where a number is missing, what is told, and which inputs are numbers."""
    column = table.column(own.target)
    rows, wanted, _ = told(column, own.kind)
    used = inputs(table, own.target)
    given = np.zeros((len(rows), sum(column.width for column in used)))
    is_number = np.zeros(given.shape[1], dtype=bool)
    place = 0
    for column in used:
        values = column.values[rows]
        if column.kind == "number":
            given[:, place] = values
            is_number[place] = True
        else:
            one = np.where(values < 0, len(column.categories), values)
            given[np.arange(len(rows)), place + one] = 1
        place += column.width
    return given, wanted, is_number
