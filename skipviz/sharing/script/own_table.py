"""A person's own table as the source of a function `data()` that reads the file as it was read here. numpy only."""

from __future__ import annotations

import hashlib

import numpy as np

from ...tasks.own import Own, UploadError, shown
from ...tasks.table import Column, Table, inputs, target_values
from ...tasks.task import Task
from .own_rows import rows_source
from .own_words import MEAN, Reading, comment_safe, literal, sentence
from .source import Sources

NAMED = 6
"""Words of a column that are named beside it."""

DATA = '''
def data():
    """{sentence}"""
    columns, y = table()
    training, held_out = split(y, np.random.default_rng([{seed}, 12]))
    x = np.hstack([{standardised}]).astype(np.float32)
{standardise_y}    return x[training], y[training], x[held_out], y[held_out]


def table():
    """Return the inputs that each column of the file makes, and the target, of the rows in which that is known."""
    if not FILE.is_file():
        sys.exit(f"There is no file {{FILE}}: give the path of {{NAME}} as the first argument.")
    try:
{rows}
        cells = [[cell.strip() for cell in column] for column in zip(*rows, strict=True)]
        columns = [
{columns}
        ]
{target}    except Exception:  # another file fails in many ways
        sys.exit(OTHER)
    if sha256(b"".join(column.tobytes() for column in (*columns, y))).hexdigest() != DIGEST:
        sys.exit(OTHER)
    return {returned}, y
'''
STANDARDISED_Y = """    mean, deviation = mean_and_deviation(y[training, 0])
    y = ((y - mean) / deviation).astype(np.float32)
"""
NUMBERS = '''

def numbers(cells, comma=False, unit=""):
    """Return one input: a column of numbers, NaN where there is none."""
    return np.array([[number(cell, comma, unit)] for cell in cells])
'''
DAYS = '''

def days(cells, first):
    """Return one input: a column of dates as days from 1970, NaN where there is none."""
    return np.array([[day(cell, first)] for cell in cells])
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


def table_source(task: Task, table: Table, sources: Sources) -> Reading:
    """Return how a script reads the table of `task`; raises `UploadError` where it is not known how it was written.

    The functions of ours that this takes come into `sources`.
    """
    own, places = task.own, {column.name: place for place, column in enumerate(table.columns)}
    if table.delimiter is None:
        raise UploadError(f"{own.file} was read before scripts of one's own data were written: upload it again")
    table = table.read_as(own.decimal, own.dates, own.taken)
    column, used = table.column(own.target), inputs(table, own.target)
    rows_of = rows_source(table, sources)
    rows, y, _ = target_values(column, own.kind)
    is_number = [one.kind != "category" for one in used]
    standardise_y = ""
    if own.kind == "numbers":
        y = y[:, None]
        standardise_y = STANDARDISED_Y
    body = DATA.format(
        sentence=sentence(task),
        seed=task.seed,
        standardised="standardised(column, training) for column in columns" if any(is_number) else "*columns",
        standardise_y=standardise_y,
        rows=rows_of.lines,
        columns="\n".join(f"            {_column(one, places[one.name])}" for one in used),
        target=_target_lines(column, places[own.target], own),
        returned="columns" if len(rows) == table.rows else "[column[there] for column in columns]",
    )
    parts = [body]
    read = [one for one in (column, *used) if one.kind != "category"]
    for there, text, function in (
        (any(not one.date for one in read), NUMBERS, "number"),
        (any(one.date for one in read), DAYS, "day"),
    ):
        if there:
            parts.append(text)
            sources.add(f"skipviz.tasks.numerals:{function}")
    if not all(is_number):
        parts.append(WORDS)
    if any(is_number):
        parts.append(STANDARDISED)
    if any(is_number) or own.kind == "numbers":
        sources.add(MEAN)
    return Reading(rows_of.imports, "".join(parts), _table_digest(used, y), rows_of.libraries)


def _column(column: Column, place: int) -> str:
    if column.kind != "category":
        return f"{_numbers(column, place)},  # {comment_safe(column.name)}"
    names = [*column.categories[:NAMED], *(["…"] if len(column.categories) > NAMED else [])]
    named = comment_safe(", ".join(shown(name, 20) for name in names))
    comment = shown(f"{comment_safe(column.name)}: {named}{' or none' if column.missing else ''}", 84)
    return f"words(cells[{place}]),  # {comment}"


def _numbers(column: Column, place: int) -> str:
    if column.date:
        return f"days(cells[{place}], {literal(column.date)})"
    unit = f", unit={literal(column.unit)}" if column.unit else ""
    return f"numbers(cells[{place}]{', comma=True' if column.comma else ''}{unit})"


def _target_lines(column: Column, place: int, own: Own) -> str:
    """Return the lines that make `y`, and `there` where not every row is used."""
    rows, _, _ = target_values(column, own.kind)
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
        made = column.values[:, None] if column.kind != "category" else np.eye(column.width)[column.values]
        found.update(made.tobytes())
    found.update(y.tobytes())
    return found.hexdigest()
