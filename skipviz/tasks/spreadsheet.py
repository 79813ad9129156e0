"""Rows of spreadsheets (.xlsx) and Parquet files, unpacked in a process of its own, whose time and memory the system bounds.

Run as a program this reads a file and writes its rows as JSON. Imports nothing of skipviz.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

SECONDS = 2
"""Of processor time, the interpreter's start and imports among them."""
PATIENCE = 30
"""Seconds that a busy machine may take for them."""
MEGABYTES = 190
MOST_WRITTEN = 24 * 2**20
"""Characters of the rows."""


class SpreadsheetError(ValueError):
    """A file whose rows cannot be had; the end of a sentence that begins with the file's name."""


def rows_apart(content: bytes, door: str, most: tuple[int, int, int]) -> dict:
    """Return `rows`, lists of text, numbers, truths and None, and a `note`; `most` are rows, columns and cells.

    `door` is "xlsx" or "parquet". Raises `SpreadsheetError`.
    """
    environment = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-I", __file__, door, *map(str, most)]
    try:
        made = subprocess.run(command, input=content, capture_output=True, timeout=PATIENCE, env=environment, check=False)
        answer = json.loads(made.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        raise SpreadsheetError("is damaged, or takes more time or memory than a table may: save it anew, or as CSV UTF-8") from None
    if "problem" in answer:
        raise SpreadsheetError(answer["problem"])
    return answer


def text_of(value) -> str:
    """Return what a cell holds as text: a number with all its digits, nothing for none."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def plain(value):
    """Return text, numbers, truths and None as they are, all else as text, as dates."""
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def array_rows(file, _: int) -> list[list]:
    """Return the rows of a two-dimensional array in a .npy file, whose size is known to be allowed."""
    import numpy

    return numpy.load(file, allow_pickle=False).tolist()


def sheet_rows(file, sheet: int) -> list[list]:
    """Return the rows of one sheet of a spreadsheet, those that are empty left out."""
    from python_calamine import load_workbook

    rows = load_workbook(file).get_sheet_by_index(sheet).to_python()
    return [[plain(value) for value in row] for row in rows if any(value not in ("", None) for value in row)]


def parquet_rows(file, columns: list[str]) -> list[list]:
    """Return the names of the columns of a Parquet file and its rows."""
    from pyarrow import parquet

    with parquet.ParquetFile(file) as opened:
        read = opened.read(columns=columns, use_threads=False)
    return [columns, *map(list, zip(*([plain(value) for value in read[name].to_pylist()] for name in columns), strict=True))]


def _sheet(content: bytes, rows: int, columns: int, cells: int) -> dict:
    from python_calamine import load_workbook

    names = load_workbook(io.BytesIO(content)).sheet_names
    for place, name in enumerate(names):
        found = sheet_rows(io.BytesIO(content), place)
        if len(found) > 1:
            note = (
                f"read its sheet {name}, the {'only' if len(names) == 1 else 'first'} one with a table"
                if place or len(names) > 1
                else ""
            )
            return {"rows": found, "note": note, "place": place}
    return {"problem": "has no sheet with a table"}


def _parquet(content: bytes, rows: int, columns: int, cells: int) -> dict:
    from pyarrow import parquet, types

    with parquet.ParquetFile(io.BytesIO(content)) as opened:
        count, schema = opened.metadata.num_rows, opened.schema_arrow
    if len(schema.names) > columns:
        return {"problem": f"has {len(schema.names):,} columns and a table has at most {columns:,}"}
    if count > min(rows, cells // max(1, len(schema.names))):
        return {"problem": f"has {count:,} rows, more than a table of {len(schema.names)} columns may have"}
    nested = [field.name for field in schema if types.is_nested(field.type) or types.is_binary(field.type)]
    names = [name for name in schema.names if name not in nested and schema.names.count(name) == 1]
    if not names:
        return {"problem": "has no column of numbers or words"}
    note = f"left out {', '.join(nested)}, which hold lists or bytes" if nested else ""
    return {"rows": parquet_rows(io.BytesIO(content), names), "note": note, "names": names}


def _main(door: str, *most: str) -> None:
    """Read a file from the standard input and write its rows to the standard output."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_DATA, (MEGABYTES * 2**20, MEGABYTES * 2**20))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except ImportError:  # Windows
        pass
    content = sys.stdin.buffer.read()
    try:
        answer = (_sheet if door == "xlsx" else _parquet)(content, *map(int, most))
        text = json.dumps(answer, allow_nan=True)
    except Exception as error:  # other people's code fails in many ways
        encrypted = "password" in type(error).__name__.lower()
        answer = {"problem": "is encrypted" if encrypted else "is damaged, or takes more memory than a table may: save it anew"}
        text = json.dumps(answer)
    sys.stdout.write(text if len(text) <= MOST_WRITTEN else json.dumps({"problem": "holds more than a table may"}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
