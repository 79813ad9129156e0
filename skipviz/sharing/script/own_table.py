"""A person's own table as the source of a function `data()` that reads the file as it was read here. numpy only."""

from __future__ import annotations

import hashlib

import numpy as np

from ...tasks.own import Own, UploadError, shown
from ...tasks.own_samples import FLAT
from ...tasks.read_table import LARGEST_NUMBER
from ...tasks.table import Column, Table, inputs, told
from ...tasks.task import Task
from .data import SPLIT
from .own_words import MEAN, Reading, comment_safe, literal, sentence

NAMED = 6
"""Words of a column that are named beside it."""

DATA = '''
def data():
    """{sentence}"""
    columns, y = table()
    training, _, held_out, _ = split(np.arange(len(y)), y, np.random.default_rng([{seed}, 12]))
    x = np.hstack([{standardised}]).astype(np.float32)
{standardise_y}    return x[training], y[training], x[held_out], y[held_out]


def table():
    """Return the inputs that each column of the file makes, and what is told, of the rows in which that is known."""
    if not FILE.is_file():
        sys.exit(f"There is no file {{FILE}}: give the path of {{NAME}} as the first argument.")
    try:
        with FILE.open(encoding="utf-8-sig") as file:
            _, *rows = filter(None, csv.reader(file, delimiter={delimiter}))
        cells = [[cell.strip() for cell in column] for column in zip(*rows, strict=True)]
        columns = [
{columns}
        ]
{told}    except Exception:  # another file fails in many ways
        sys.exit(OTHER)
    if sha256(b"".join(column.tobytes() for column in (*columns, y))).hexdigest() != DIGEST:
        sys.exit(OTHER)
    return {returned}, y
'''
STANDARDISED_Y = """    mean, deviation = mean_and_deviation(y[training, 0])
    y = ((y - mean) / deviation).astype(np.float32)
"""
NUMBERS = '''

def numbers(cells{comma_given}):
    """Return one input: a column of numbers, NaN where there is none."""
    return np.array([[number(cell{comma_used})] for cell in cells])


def number(cell):
    try:
        value = float(cell)
    except ValueError:
        return math.nan
    return value if abs(value) <= {largest} and "_" not in cell else math.nan
'''
STANDARDISED = '''

def standardised(column, training):
    """Return numbers of mean 0 and deviation 1 in the training part, those that are missing at the mean; words as they are."""
    if column.shape[1] > 1:
        return column
    known = column[training, 0][~np.isnan(column[training, 0])]
    mean, deviation = mean_and_deviation(known) if len(known) else (0.0, 1.0)
    return np.where(np.isnan(column), 0.0, (column - mean) / deviation)
'''
WORDS = '''

def words(cells):
    """Return an input for each word of a column in the order of the alphabet, then one for none if some are missing."""
    there = [cell.lower() not in MISSING for cell in cells]
    names = sorted({cell for cell, known in zip(cells, there) if known})
    places = [names.index(cell) if known else -1 for cell, known in zip(cells, there)]
    return np.eye(len(names) + (not all(there)))[places]
'''


def table_source(task: Task, table: Table) -> Reading:
    """Return how a script reads the table of `task`; raises `UploadError` where it is not known how it was written."""
    own, places = task.own, {column.name: place for place, column in enumerate(table.columns)}
    if table.delimiter is None:
        raise UploadError(f"{own.file} was read before scripts of one's own data were written: upload it again")
    column, used = table.column(own.target), inputs(table, own.target)
    rows, y, _ = told(column, own.kind)
    is_number = [one.kind == "number" for one in used]
    standardise_y = ""
    if own.kind == "numbers":
        y = y[:, None]
        standardise_y = STANDARDISED_Y
    body = DATA.format(
        sentence=sentence(task),
        seed=task.seed,
        standardised="standardised(column, training) for column in columns" if any(is_number) else "*columns",
        standardise_y=standardise_y,
        delimiter=literal(table.delimiter),
        columns="\n".join(f"            {_column(one, places[one.name])}" for one in used),
        told=_told(column, places[own.target], own),
        returned="columns" if len(rows) == table.rows else "[column[there] for column in columns]",
    )
    parts = [body]
    if any(is_number) or column.kind == "number":
        commas = any(one.comma for one in (column, *used))
        given, taken = (', comma=""', '.replace(comma, ".", 1) if comma else cell') if commas else ("", "")
        parts.append(NUMBERS.format(largest=f"{LARGEST_NUMBER:g}", comma_given=given, comma_used=taken))
    if not all(is_number):
        parts.append(WORDS)
    if any(is_number):
        parts.append(STANDARDISED)
    if any(is_number) or own.kind == "numbers":
        parts.append(MEAN.format(flat=FLAT))
    return Reading(("import csv",), f"{''.join(parts)}\n{SPLIT}", _table_digest(used, y))


def _column(column: Column, place: int) -> str:
    if column.kind == "number":
        return f"{_numbers(column, place)},  # {comment_safe(column.name)}"
    names = [*column.categories[:NAMED], *(["…"] if len(column.categories) > NAMED else [])]
    named = comment_safe(", ".join(shown(name, 20) for name in names))
    comment = shown(f"{comment_safe(column.name)}: {named}{' or none' if column.missing else ''}", 84)
    return f"words(cells[{place}]),  # {comment}"


def _numbers(column: Column, place: int) -> str:
    return f'numbers(cells[{place}], comma=",")' if column.comma else f"numbers(cells[{place}])"


def _told(column: Column, place: int, own: Own) -> str:
    """Return the lines that make `y`, and `there` where not every row is used."""
    rows, _, _ = told(column, own.kind)
    known = len(column.values) - (np.isnan(column.values) if column.kind == "number" else column.values < 0).sum()
    lines = []
    what = f"  # {comment_safe(own.target)}"
    if column.kind == "number":
        lines.append(f"y = {_numbers(column, place)}[:, 0]{what}")
        there = "~np.isnan(y)"
    else:
        lines.append(f"y = np.array(cells[{place}]){what}")
        there = "np.array([cell.lower() not in MISSING for cell in y])"
    if known < len(column.values):
        lines += [f"there = np.flatnonzero({there})", "y = y[there]"]
    if own.kind == "numbers":
        lines.append("y = y[:, None]")
    elif len(rows) == known:
        lines.append("y = np.unique(y, return_inverse=True)[1]")
    else:
        if known == len(column.values):
            lines.append("there = np.arange(len(y))")
        lines += [
            "_, y, counts = np.unique(y, return_inverse=True, return_counts=True)",
            "often = counts > 1  # a class of a single row is left out",
            "there, y = there[often[y]], (np.cumsum(often) - 1)[y[often[y]]]",
        ]
    return "".join(f"        {line}\n" for line in lines)


def _table_digest(used: list[Column], y: np.ndarray) -> str:
    found = hashlib.sha256()
    for column in used:
        made = column.values[:, None] if column.kind == "number" else np.eye(column.width)[column.values]
        found.update(made.tobytes())
    found.update(y.tobytes())
    return found.hexdigest()
