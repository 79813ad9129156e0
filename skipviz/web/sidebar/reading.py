"""What was understood of a file, in words and small tables for the sidebar. Knows no Streamlit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from html import escape

import numpy as np

from ...network.base import written
from ...tasks.numerals import day, number
from ...tasks.own import Own
from ...tasks.pictures import Pictures
from ...tasks.table import Column, Table, inputs, most_inputs, target_kinds

KINDS = {"number": "number", "category": "categories", "id": "left out", "left out": "left out"}


@dataclass(frozen=True)
class Choice:
    """A value that can be read in two ways: as it was written, what each way makes of it, and the way that is taken."""

    written: str
    ways: dict[str, str]
    taken: str


@dataclass(frozen=True)
class Reading:
    """A file's content: `targets` are what can be predicted, each with the ways in which it can."""

    summary: str
    targets: dict[str, tuple[str, ...]]
    columns: tuple[tuple[str, str, str], ...] = ()
    """Each column's name, kind and what there is to say of it."""
    head: tuple[str, ...] = ()
    preview: tuple[tuple[str, ...], ...] = ()
    rows: int = 0
    holes: dict[str, int] = field(default_factory=dict)
    """How many values of a column are missing, where some are and the column is used."""
    notes: tuple[str, ...] = ()
    """What there is to say of the file itself, each the rest of a sentence."""
    ids: tuple[str, ...] = ()
    """Columns that are inputs only where somebody takes them in."""
    choices: dict[str, Choice] = field(default_factory=dict)
    """What can be read in two ways: "decimal" marks, "dates"."""

    def found(self) -> str:
        """Return in a sentence what was found of the file itself, or nothing."""
        text = "; ".join(self.notes)
        return f"{text[:1].upper()}{text[1:]}." if text else ""

    def left_out(self) -> str:
        """Return in a sentence which columns are left out and why, or nothing."""
        parts = [f"{name} ({remark})" for name, kind, remark in self.columns if kind == "left out"]
        return f"Left out: {', '.join(parts)}." if parts else ""

    def missing(self, target: str) -> str:
        """Return in a sentence where values are missing and what takes their place, or nothing."""
        if not self.holes:
            return ""
        parts = [f"{name} {count:,}" for name, count in self.holes.items()]
        words = f"Missing: {', '.join(parts)} of {self.rows:,} values. A number gets its column's mean, a category one of its own"
        return words + (f"; rows without {target} are left out." if target in self.holes else ".")

    def columns_html(self) -> str:
        """Return the columns as a table."""
        return _table("Columns", ("column", "read as", ""), self.columns)

    def preview_html(self) -> str:
        """Return the first rows as a table."""
        return _table("First rows", self.head, self.preview)


def reading_of(data: Table | Pictures, own: Own | None = None) -> Reading:
    """Return what to say of a table or pictures, of a table as `own` has it read."""
    return _pictures(data) if isinstance(data, Pictures) else _table_reading(data, own)


def _table_reading(kept: Table, own: Own | None) -> Reading:
    table = kept.read_as(**own.choices()) if own else kept
    used = {column.name for column in inputs(table, own.target)} | {own.target} if own else set()
    columns = []
    for column in table.columns:
        kind, remark = KINDS[column.kind], _remark(column, table.rows)
        if own and column.kind in ("number", "category") and column.name not in used:
            kind, remark = "left out", f"the others fill the {most_inputs(table.rows)} inputs that {table.rows:,} rows may have"
        if column.kind == "id" and column.name in used:
            kind, remark = "number", f"{remark}, but there is nothing else to tell from"
        columns.append((column.name, kind, remark))
    return Reading(
        summary=f"{table.rows:,} rows, {len(table.columns)} columns",
        targets={column.name: kinds for column in table.columns if (kinds := target_kinds(column))},
        columns=tuple(columns),
        head=tuple(column.name for column in table.columns),
        preview=table.preview,
        rows=table.rows,
        holes={column.name: column.missing for column in table.columns if column.missing and column.kind != "left out"},
        notes=table.notes,
        ids=tuple(column.name for column in kept.columns if column.kind == "id"),
        choices=_choices(table),
    )


def _choices(table: Table) -> dict[str, Choice]:
    """Return what of a table can be read in two ways, by the first column that can."""
    found = {}
    for column in table.columns:
        if column.other is None:
            continue
        digits = "".join(letter for letter in column.written if letter in "0123456789.,/-+:' ").strip()
        if column.date:
            ways = {first: f"{_date(day(column.written, first)):%d %B %Y}" for first in ("day", "month")}
        else:
            ways = {way: f"{number(column.written, way == 'comma', column.unit):.12g}" for way in ("point", "comma")}
        found.setdefault("dates" if column.date else "decimal", Choice(digits, ways, column.way))
    return found


def _date(days: float) -> date:
    return date(1970, 1, 1) + timedelta(days=int(days // 1))


def _remark(column: Column, rows: int) -> str:
    if column.kind in ("left out", "id"):
        return column.reason
    parts = [f"{column.distinct} values" if column.kind == "category" else _span(column.values)]
    if column.date:
        first, last = (_date(find(column.values)) for find in (np.nanmin, np.nanmax))
        parts = [f"dates {first} to {last}, as days from 1970"]
    if column.unit:
        parts.append(f"{column.unit} is passed over")
    if column.missing:
        parts.append(f"{column.missing:,} of {rows:,} missing" + (f", among them {column.reason}" if column.reason else ""))
    return ", ".join(parts)


def _span(values: np.ndarray) -> str:
    return f"{np.nanmin(values):.4g} to {np.nanmax(values):.4g}"


def _pictures(data: Pictures) -> Reading:
    channels, *sides = data.images.shape[1:]
    colours = {1: "grey", 3: "in colour"}.get(channels, f"of {channels} channels")
    parts = [f"{len(data.images):,} pictures of {written(tuple(sides))}, {colours}"]
    if data.labels is not None:
        parts.append(f"labels of {len(data.classes)} classes")
    if data.masks is not None:
        marked = f"masks of {100 * data.masks.mean():.0f} % of the pixels"
        parts.append(f"masks of {len(data.mask_classes)} classes of pixels" if data.mask_classes else marked)
    return Reading("; ".join(parts), {name: (name,) for name in data.targets()}, notes=(" ".join(data.notes).removesuffix("."),))


def _table(name: str, head: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> str:
    def line(cells, tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(line(row, "td") for row in rows)
    table = f"<table><thead>{line(head, 'th')}</thead><tbody>{body}</tbody></table>"
    return f'<div class="sv-read" role="region" aria-label="{name}" tabindex="0">{table}</div>'
