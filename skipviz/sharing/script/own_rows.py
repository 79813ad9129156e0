"""How a script finds the rows of a person's table again: the lines that make `rows`, and what they need. Imports no numpy."""

from __future__ import annotations

from dataclasses import dataclass

from ...tasks.table import Table
from .own_words import literal
from .source import Sources


@dataclass(frozen=True)
class RowsSource:
    """Lines that make `rows`, imports, libraries that are installed beside torch and numpy."""

    lines: str
    imports: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()


def rows_source(table: Table, sources: Sources) -> RowsSource:
    """Return how the rows of values of `table` are read from its file, names and units left out.

    The functions that this takes come into `sources`.
    """
    door = table.source.get("door")
    return _typed_rows(table, door, sources) if door else _text_rows(table)


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


def _typed_rows(table: Table, door: str, sources: Sources) -> RowsSource:
    found = table.source
    first = found.get("above", 0) + found.get("first", 0)
    function, given, library = {
        "xlsx": ("sheet_rows", str(found.get("place", 0)), "python-calamine"),
        "parquet": ("parquet_rows", "[" + ", ".join(map(literal, found.get("names", ()))) + "]", "pyarrow"),
        "npy": ("array_rows", "0", None),
    }[door]
    function, text_of = (sources.add(f"skipviz.tasks.spreadsheet:{name}") for name in (function, "text_of"))
    lines = [f"rows = [[{text_of}(value) for value in row] for row in {function}(FILE, {given})[{first}:]]"]
    return RowsSource(_indented(lines), libraries=(library,) if library else ())


def _indented(lines: list[str]) -> str:
    return "\n".join(f"        {line}" for line in lines)
