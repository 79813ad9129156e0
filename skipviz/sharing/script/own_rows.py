"""How a script finds the rows of a person's table again: the lines that make `rows`, and what they need. Imports no numpy."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from ...tasks import spreadsheet
from ...tasks.table import Table
from .own_words import literal


@dataclass(frozen=True)
class RowsSource:
    """Lines that make `rows`, the functions they call, imports, libraries that are installed beside torch and numpy."""

    lines: str
    functions: str = ""
    imports: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()


def rows_source(table: Table) -> RowsSource:
    """Return how the rows of values of `table` are read from its file, names and units left out."""
    door = table.source.get("door")
    return _typed_rows(table, door) if door else _text_rows(table)


def _text_rows(table: Table) -> RowsSource:
    found = table.source or {"first": 1}
    packed, above, first = found.get("packed"), found.get("above", 0), found.get("first", 0)
    encoding = f"encoding={literal(found.get('encoding', 'utf-8-sig'))}"
    opened = f'gzip.open(FILE, "rt", {encoding})' if packed else f"FILE.open({encoding})"
    lines = [f"with {opened} as file:"]
    if above:
        lines += [f"    for _ in range({above}):", "        next(file)"]
    read = f"filter(None, csv.reader(file, delimiter={literal(table.delimiter)}))"
    lines.append(f"    {'_, ' * first}*rows = {read}" if first else f"    rows = list({read})")
    return RowsSource(_indented(lines), imports=("import csv", *(("import gzip",) if packed else ())))


def _typed_rows(table: Table, door: str) -> RowsSource:
    found = table.source
    first = found.get("above", 0) + found.get("first", 0)
    function, given, library = {
        "xlsx": (spreadsheet.sheet_rows, str(found.get("place", 0)), "python-calamine"),
        "parquet": (spreadsheet.parquet_rows, "[" + ", ".join(map(literal, found.get("names", ()))) + "]", "pyarrow"),
        "npy": (spreadsheet.array_rows, "0", None),
    }[door]
    lines = [f"rows = [[text_of(value) for value in row] for row in {function.__name__}(FILE, {given})[{first}:]]"]
    sources = (inspect.getsource(part) for part in (function, spreadsheet.plain, spreadsheet.text_of))
    return RowsSource(_indented(lines), "".join(f"\n\n{source}" for source in sources), libraries=(library,) if library else ())


def _indented(lines: list[str]) -> str:
    return "\n".join(f"        {line}" for line in lines)
