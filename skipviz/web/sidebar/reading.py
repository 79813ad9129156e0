"""What was understood of a file, in words and small tables for the sidebar. Knows no Streamlit."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

import numpy as np

from ...network.base import written
from ...tasks.pictures import Pictures
from ...tasks.table import Column, Table, told_kinds

KINDS = {"number": "number", "category": "categories", "left out": "left out"}


@dataclass(frozen=True)
class Reading:
    """A file's content: `targets` are what can be told, each with the ways in which it can."""

    summary: str
    targets: dict[str, tuple[str, ...]]
    columns: tuple[tuple[str, str, str], ...] = ()
    """Each column's name, kind and what there is to say of it."""
    head: tuple[str, ...] = ()
    preview: tuple[tuple[str, ...], ...] = ()
    rows: int = 0
    holes: dict[str, int] = field(default_factory=dict)
    """How many values of a column are missing, where some are and the column is used."""

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


def reading_of(data: Table | Pictures) -> Reading:
    """Return what to say of a table or pictures."""
    if isinstance(data, Pictures):
        return _pictures(data)
    summary = f"{data.rows:,} rows, {len(data.columns)} columns"
    columns = tuple((column.name, KINDS[column.kind], _remark(column, data.rows)) for column in data.columns)
    targets = {column.name: kinds for column in data.columns if (kinds := told_kinds(column))}
    holes = {column.name: column.missing for column in data.columns if column.missing and column.kind != "left out"}
    return Reading(summary, targets, columns, tuple(column.name for column in data.columns), data.preview, data.rows, holes)


def _remark(column: Column, rows: int) -> str:
    if column.kind == "left out":
        return column.reason
    parts = [f"{column.distinct} values" if column.kind == "category" else _span(column.values)]
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
        parts.append(f"masks of {100 * data.masks.mean():.0f} % of the pixels")
    return Reading("; ".join(parts), {name: (name,) for name in data.targets()})


def _table(name: str, head: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> str:
    def line(cells, tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(line(row, "td") for row in rows)
    table = f"<table><thead>{line(head, 'th')}</thead><tbody>{body}</tbody></table>"
    return f'<div class="sv-read" role="region" aria-label="{name}" tabindex="0">{table}</div>'
