"""Reads a CSV file that somebody sends: whatever is wrong with it ends in one sentence. numpy only."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import compress

import numpy as np

from .own import FEWEST_SAMPLES, MOST_SAMPLES, UploadError, shown, shown_file
from .table import NOTHING, Column, Table

MOST_BYTES = 8 * 2**20
MOST_COLUMNS = 200
MOST_CELLS = 500_000
LONGEST_LINE = 2**18
"""Characters."""
MOST_CATEGORIES = 30
"""Different values of a column that is read as categories; each becomes an input."""
LARGEST_NUMBER = 1e30
"""Numbers beyond it are taken as missing, so that squares and sums stay finite."""
MOSTLY = 0.95
"""Share of a column's values that have to be numbers; the rest is then taken as missing."""
PREVIEWED = 5
SNIFFED = 20
"""Lines by which the separator is found."""

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "|"}
LONGEST_NOTHING = max(map(len, NOTHING))
_ID = re.compile(r"(.*[ _.-])?(id|ids|index|uuid|guid|row|rownum|nr|unnamed: 0)", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_BINARY = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "compressed",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x93NUMPY": "a numpy array",
    b"\xd0\xcf\x11\xe0": "an old Office file",
    b"PAR1": "a Parquet file",
    b"\x80\x04\x95": "a pickle, which is never opened",
    b"\x80\x05\x95": "a pickle, which is never opened",
}


def read_table(content: bytes, name: str) -> Table:
    """Return the table that a CSV file holds; raises `UploadError` with one sentence for any other content."""
    file = shown_file(name)
    lines = _lines(_text(content, file))
    delimiter = _delimiter(lines, file)
    head, body = _records(lines, delimiter, file)
    names = _names(head, file)
    if len(body) < FEWEST_SAMPLES:
        rows = f"{len(body)} row{'' if len(body) == 1 else 's'}"
        raise UploadError(f"{file} has {rows} under its header and at least {FEWEST_SAMPLES} are needed")
    cells = zip(*body, strict=True)
    columns = tuple(_column(name, list(values), delimiter) for name, values in zip(names, cells, strict=True))
    preview = tuple(tuple(shown(cell, 24) for cell in row) for row in body[:PREVIEWED])
    if not any(column.kind != "left out" for column in columns):
        raise UploadError(f"every column of {file} is left out: {columns[0].name} is {columns[0].reason}")
    return Table(file, len(body), columns, preview, delimiter)


def _text(content: bytes, file: str) -> str:
    if len(content) > MOST_BYTES:
        raise UploadError(f"{file} has {len(content) / 2**20:.1f} MB and a table has at most {MOST_BYTES // 2**20}")
    if not content.strip():
        raise UploadError(f"{file} is empty")
    for beginning, what in _BINARY.items():
        if content.startswith(beginning):
            raise UploadError(f"{file} is {what}, not a CSV file: export the table as CSV UTF-8")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise UploadError(f"{file} is UTF-16 text: save it as CSV UTF-8")
    if b"\0" in content:
        raise UploadError(f"{file} holds zero bytes, as binary files do: export the table as CSV UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UploadError(f"line {line:,} of {file} is not UTF-8 text (is it Latin-1?): save it as CSV UTF-8") from None


def _lines(text: str) -> io.StringIO:
    """Return the text with every kind of line's end as the csv module wants it."""
    return io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n"), newline="")


def _bounded(lines: io.StringIO, file: str) -> Iterator[str]:
    """Yield the lines; a line of millions of separators would cost hundreds of MB before its columns are counted."""
    for line in lines:
        if len(line) > LONGEST_LINE:
            raise UploadError(f"{file} has a line of {len(line):,} characters and a line has at most {LONGEST_LINE:,}")
        yield line


def _delimiter(lines: io.StringIO, file: str) -> str:
    """Return the separator by which the first lines have the most columns, all of them equally many if there is such a one."""
    first = "".join(line for line, _ in zip(_bounded(lines, file), range(SNIFFED), strict=False))
    lines.seek(0)
    found = {}
    for delimiter in DELIMITERS:
        try:
            counts = [len(row) for row in csv.reader(io.StringIO(first), delimiter=delimiter) if row]
        except csv.Error:
            return delimiter  # reading all of it will tell what is wrong
        if counts and counts[0] > 1:
            found[delimiter] = (len(set(counts[:-1])) <= 1, counts[0])
    if not found:
        raise UploadError(
            f"{file} has one column and a table needs two, one to tell from the other: separate them by comma, semicolon, tab or |"
        )
    return max(found, key=found.get)


def _records(lines: io.StringIO, delimiter: str, file: str) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows, all equally long."""
    reader = csv.reader(_bounded(lines, file), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    head: list[str] | None = None
    try:
        for row in reader:
            if not row:
                continue
            if head is None:
                head = row
                if len(head) > MOST_COLUMNS:
                    raise UploadError(f"{file} has {len(head):,} columns and a table has at most {MOST_COLUMNS}")
                most = min(MOST_SAMPLES, MOST_CELLS // len(head))
                continue
            if len(row) != len(head):
                where = f"line {reader.line_num:,} of {file} has {len(row)} columns and its header {len(head)}"
                raise UploadError(f"{where}: it may be cut short, or a {DELIMITERS[delimiter]} may stand in a value without quotes")
            if len(rows) == most:
                raise UploadError(f"{file} has more than the {most:,} rows that a table of {len(head)} columns may have")
            rows.append(row)
    except csv.Error as error:
        problem = str(error)
        if "unexpected end" in problem:
            raise UploadError(f"{file} ends inside a quoted value: it is cut short, or a quote is not closed") from None
        if "field larger" in problem:
            raise UploadError(
                f"a value in {file} has more than {csv.field_size_limit():,} characters: is a quote not closed?"
            ) from None
        raise UploadError(f"line {reader.line_num:,} of {file} is not CSV: {problem}") from None
    return head, rows


def _names(head: list[str], file: str) -> list[str]:
    """Return the columns' names, each different."""
    if all(_number(cell) is not None for cell in head):
        raise UploadError(
            f"the first line of {file} holds numbers ({shown(', '.join(head), 30)}): put a line of column names above it"
        )
    names: list[str] = []
    for place, cell in enumerate(head, start=1):
        name = stem = shown(cell, 34) or f"column {place}"
        again = 1
        while name in names:
            again += 1
            name = f"{stem} ({again})"
        names.append(name)
    return names


def _column(name: str, cells: list[str], delimiter: str) -> Column:
    """Return one column: numbers where nearly all of its values are, categories where they are few, else left out."""
    cells = [cell.strip() for cell in cells]
    is_known = [len(cell) > LONGEST_NOTHING or cell.lower() not in NOTHING for cell in cells]
    known = list(compress(cells, is_known))
    missing, different = len(cells) - len(known), len(set(known))

    def left_out(reason: str) -> Column:
        return Column(name, "left out", missing, different, reason)

    if not known:
        return left_out("empty")
    if different == 1:
        return left_out("the same in every row")
    comma = delimiter != "," and any(map(_DECIMAL_COMMA.fullmatch, known[:1000]))
    numbers, strange = _as_numbers([cell.replace(",", ".", 1) for cell in known] if comma else known)
    if numbers is not None:
        values = np.full(len(cells), np.nan)
        values[is_known] = numbers
        return replace(_numbers(name, values, missing, strange, left_out), comma=comma)
    if different == len(known) and different > MOST_CATEGORIES:
        return left_out("another value in every row, as an id has")
    if different > MOST_CATEGORIES:
        return left_out(f"{different:,} different values, and at most {MOST_CATEGORIES} become inputs")
    categories = sorted(set(known))
    places = {category: place for place, category in enumerate(categories)}
    values = np.array([places.get(cell, -1) for cell in cells], dtype=np.int32)
    return Column(name, "category", missing, different, None, tuple(shown(text, 60) for text in categories), values)


def _as_numbers(known: list[str]) -> tuple[np.ndarray | None, list[str]]:
    """Return a column's values as numbers, NaN where one is none, and those that are none; None if these are too many."""
    if "_" not in "".join(known):  # which Python's own numbers may have
        try:
            numbers = np.array(list(map(float, known)))
            if (np.abs(numbers) <= LARGEST_NUMBER).all():
                return numbers, []
        except ValueError:
            pass
    most = int((1 - MOSTLY) * len(known))
    numbers, strange = np.full(len(known), np.nan), []
    for place, cell in enumerate(known):
        value = _number(cell)
        if value is not None:
            numbers[place] = value
            continue
        strange.append(cell)
        if len(strange) > most:
            return None, strange
    return numbers, strange


def _numbers(name: str, values: np.ndarray, missing: int, strange: list[str], left_out) -> Column:
    """Return a column of numbers, unless it tells nothing."""
    known = values[~np.isnan(values)]
    different = len(np.unique(known))
    if different == 1:
        return left_out("the same in every row")
    unnamed = name.startswith("column ") and (np.diff(known) == 1).all()
    if different == len(values) and (_ID.fullmatch(name) or unnamed):
        return left_out("an id: another number in every row")
    counted = f"{len(strange)} {'value that is no number' if len(strange) == 1 else 'values that are no numbers'}"
    reason = f"{counted}, such as {shown(strange[0], 16)}" if strange else None
    return Column(name, "number", missing + len(strange), different, reason, (), values)


def _number(cell: str) -> float | None:
    """Return the finite number that a cell holds, or None."""
    if "_" in cell:
        return None
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if abs(value) <= LARGEST_NUMBER else None
