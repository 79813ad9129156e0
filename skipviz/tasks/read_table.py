"""Reads a table that somebody sends, as text, spreadsheet or Parquet: whatever is wrong ends in one sentence. numpy only."""

from __future__ import annotations

import zlib

from .columns import columns_of
from .own import FEWEST_SAMPLES, MOST_ROWS, UploadError, shown, shown_file
from .read_arrays import shape_of, single_array
from .spreadsheet import SpreadsheetError, rows_apart, text_of
from .table import Table
from .table_head import head_of, is_nothing, names_of
from .table_text import MOST_BYTES, MOST_CELLS, MOST_COLUMNS, check_columns, check_size, text_rows

PREVIEWED = 5
MOST_TYPED_CELLS = 250_000
"""Of a spreadsheet or a Parquet file, which cost more to unpack."""
GZIP = b"\x1f\x8b"
DOORS = {b"PK\x03\x04": "xlsx", b"PAR1": "parquet"}


def read_table(content: bytes, name: str) -> Table:
    """Return the table that a file holds; raises `UploadError` with one sentence for any other content."""
    file = shown_file(name)
    check_size(content, file)
    packed = content.startswith(GZIP)
    if packed:
        content = _unpacked(content, file)
        check_size(content, file)
    door = DOORS.get(content[:4])
    if door == "xlsx" and b"xl/workbook" not in content:
        door = None
    return _typed_table(content, door, file) if door else _text_table(content, packed, file)


def _unpacked(content: bytes, file: str) -> bytes:
    """Return what a gzip file holds, never more than a table may have."""
    unpacked = b""
    while content:
        stream = zlib.decompressobj(wbits=31)
        try:
            unpacked += stream.decompress(content, MOST_BYTES + 1 - len(unpacked))
        except zlib.error:
            raise UploadError(f"{file} is a damaged .gz file: pack it again") from None
        if len(unpacked) > MOST_BYTES:
            raise UploadError(f"{file} unpacks to more than the {MOST_BYTES // 2**20} MB that a table has at most")
        if not stream.eof:
            raise UploadError(f"{file} is a .gz file that is cut short: pack it again")
        content = stream.unused_data.lstrip(b"\0")
    return unpacked


def _text_table(content: bytes, packed: bool, file: str) -> Table:
    found = text_rows(content, file)
    source = {"packed": packed, "encoding": found.encoding, "above": found.above}
    return _table(found.cells, [False] * len(found.cells[0]), found.delimiter, source, found.notes, file)


def _typed_table(content: bytes, door: str, file: str) -> Table:
    try:
        found = rows_apart(content, door, (MOST_ROWS, MOST_COLUMNS, MOST_TYPED_CELLS))
    except SpreadsheetError as error:
        raise UploadError(f"{file} {shown(str(error), 200)}") from None
    rows, notes = found["rows"], (shown(found["note"], 120),) if found["note"] else ()
    width = max(map(len, rows))
    check_columns(width, file)
    if len(rows) * width > MOST_TYPED_CELLS or len(rows) > MOST_ROWS + 2:
        raise UploadError(f"{file} has {len(rows):,} rows of {width} columns, and at most {MOST_TYPED_CELLS:,} cells are taken")
    above = next((place for place, row in enumerate(rows) if sum(value not in ("", None) for value in row) > 1), 0)
    typed = [
        not any(isinstance(value, str) and not is_nothing(value) for value in column[2:])
        for column in zip(*rows[above:], strict=True)
    ]
    cells = [[text_of(value) for value in row] for row in rows[above:]]
    source = {"door": door, "above": above, **{key: found[key] for key in ("place", "names") if key in found}}
    return _table(cells, typed, "", source, notes, file)


def read_array_table(content: bytes, name: str) -> Table | None:
    """Return the table that the two-dimensional array of a .npy file is, None for other arrays; raises `UploadError`."""
    file = shown_file(name)
    shape, dtype = shape_of(content, file)
    if len(shape) != 2:
        return None
    check_size(content, file)
    check_columns(shape[1], file)
    if shape[0] > min(MOST_ROWS, MOST_CELLS // max(1, shape[1])):
        raise UploadError(f"{file} has {shape[0]:,} rows of {shape[1]} columns, and at most {MOST_CELLS:,} cells are taken")
    if dtype.kind == "S":
        raise UploadError(f"{file} holds bytes: save numbers, or words as text with .astype(str)")
    rows = [[text_of(value) for value in row] for row in single_array(content, file).tolist()]
    if not rows or not rows[0]:
        raise UploadError(f"{file} is an array without values")
    return _table(rows, [dtype.kind in "iuf"] * shape[1], "", {"door": "npy"}, (), file)


def _table(rows: list[list[str]], typed: list[bool], delimiter: str, source: dict, notes: tuple[str, ...], file: str) -> Table:
    """Return the table of rows, the first of which may be names and units."""
    if len(rows[0]) < 2:
        raise UploadError(f"{file} has one column and a table needs two, one to tell from the other")
    head, units = (rows[0], None) if "names" in source else head_of(rows)
    body = rows[(head is not None) + (units is not None) :]
    if len(body) < FEWEST_SAMPLES:
        under = " under its header" if head else ""
        raise UploadError(
            f"{file} has {len(body)} row{'' if len(body) == 1 else 's'}{under} and at least {FEWEST_SAMPLES} are needed"
        )
    if len(body) > MOST_ROWS:
        raise UploadError(f"{file} has more than the {MOST_ROWS:,} rows that a table may have")
    if head is None:
        notes = (*notes, "found no line of names: its columns are numbered")
    if units is not None:
        notes = (*notes, f"took the line under the names for units ({shown(', '.join(filter(None, units)), 40)})")
    columns = columns_of(names_of(head, len(rows[0])), zip(*body, strict=True), typed, delimiter)
    if not any(column.values is not None for column in columns):
        raise UploadError(f"every column of {file} is left out: {columns[0].name} is {columns[0].reason}")
    preview = tuple(tuple(shown(cell, 24) for cell in row) for row in body[:PREVIEWED])
    source = {key: value for key, value in {**source, "first": len(rows) - len(body)}.items() if value}
    return Table(file, len(body), columns, preview, delimiter, source, notes)
