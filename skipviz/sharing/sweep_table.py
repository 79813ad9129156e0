"""The rows of a sweep or another job as text: for a terminal, a spreadsheet, a notebook. Never imports torch."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from ..tasks.sweep import Sweep

PRINTED = 4
"""Significant digits in a terminal."""


def to_csv(rows: Sequence[dict]) -> bytes:
    """Return the rows as CSV in UTF-8, one a line under the names of what they have; what a row has none of is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, dict.fromkeys(name for row in rows for name in row), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def to_parquet(rows: Sequence[dict]) -> bytes:
    """Return the same as a Parquet file's bytes."""
    import pandas

    buffer = io.BytesIO()
    pandas.DataFrame(list(rows)).to_parquet(buffer, index=False)
    return buffer.getvalue()


def to_text(sweep: Sweep, rows: Sequence[dict]) -> str:
    """Return the rows as an aligned table, each with its reason behind it."""
    fields = {field.name: field for field in sweep.fields}
    names = [name for name in sweep.columns() if name not in ("cell", "reason", "diverged_at", "seconds")]
    lines = [names]
    for row in rows:
        cells = [fields[name].said(row[name]) if name in fields else _written(row[name]) for name in names]
        lines.append([*cells[:-1], row["state"] + (f": {row['reason']}" if row["reason"] else "")])
    widths = [max(len(line[column]) for line in lines) for column in range(len(names))]
    return "\n".join(
        "  ".join([*(cell.rjust(width) for cell, width in zip(line[:-1], widths, strict=False)), line[-1]]) for line in lines
    )


def _written(value) -> str:
    return "–" if value is None else f"{value:.{PRINTED}g}" if isinstance(value, float) else str(value)
