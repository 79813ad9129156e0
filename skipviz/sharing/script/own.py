"""Data of one's own as the source of a function `data()` that reads a person's own file, as it was read here. numpy only.

What stands in a script of a file's names is somebody's text: it is quoted, and kept to comments and one line.
"""

from __future__ import annotations

import hashlib
import json
import textwrap
from dataclasses import dataclass

import numpy as np

from ...tasks.own import Own, UploadError, shown, shown_file
from ...tasks.own_samples import FLAT
from ...tasks.pictures import Pictures
from ...tasks.read_table import LARGEST_NUMBER, NOTHING
from ...tasks.table import Column, Table, inputs, told
from ...tasks.task import Task
from ...tasks.uploads import Uploads
from .data import SPLIT

NAMED = 6
"""Words of a column that are named beside it."""


@dataclass(frozen=True)
class OwnSource:
    """Parts of a script: what its head says that it needs and is given, imports, constants, `data` with all that it calls."""

    needs: str
    given: str
    imports: tuple[str, ...]
    constants: tuple[str, ...]
    body: str


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
MEAN = """

def mean_and_deviation(values):
    mean, deviation = values.mean(dtype=np.float64), values.std(dtype=np.float64)
    return mean, deviation if deviation > {flat} * abs(mean) else 1.0
"""
WORDS = '''

def words(cells):
    """Return an input for each word of a column in the order of the alphabet, then one for none if some are missing."""
    there = [cell.lower() not in MISSING for cell in cells]
    names = sorted({cell for cell, known in zip(cells, there) if known})
    places = [names.index(cell) if known else -1 for cell, known in zip(cells, there)]
    return np.eye(len(names) + (not all(there)))[places]
'''
PICTURES = '''
def data():
    """{sentence}"""
    x, y = pictures()
    training, _, held_out, _ = split(np.arange(len(y)), y, np.random.default_rng([{seed}, 13]))
{standardise}    return x[training], y[training], x[held_out], y[held_out]


def pictures():
    """Return the pictures of the file, {numbers}, and their {target}."""
    if not FILE.is_file():
        sys.exit(f"There is no file {{FILE}}: give the path of {{NAME}} as the first argument.")
    try:
        with np.load(FILE, allow_pickle=False) as arrays:
            images, {target} = arrays["images"], arrays["{target}"]
{images}        y = {y}
    except Exception:  # another file fails in many ways
        sys.exit(OTHER)
    if sha256(x.tobytes() + y.tobytes()).hexdigest() != DIGEST:
        sys.exit(OTHER)
    return {x}, y
'''


def own_source(task: Task, uploads: Uploads) -> OwnSource:
    """Return what a script needs of a task of one's own; raises `UploadError` where the data is not here."""
    data = uploads.load(task.own)
    source = _pictures if isinstance(data, Pictures) else _table
    imports, body, digest = source(task, data)
    name = shown_file(task.own.file)
    constants = (
        f"NAME = {_literal(name)}  # what the network is trained on",
        "FILE = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / NAME",
        f'DIGEST = "{digest}"  # SHA-256 of what is read from it',
        'OTHER = f"{FILE} is another file than the {NAME} that this network was trained on."',
        *((f"MISSING = {_words(sorted(NOTHING))}",) if "MISSING" in body else ()),
    )
    needs, given = f", and the file {comment_safe(name)}", "; the file lies beside it, or its path is the first argument"
    return OwnSource(needs, given, ("from pathlib import Path", "import sys", *imports), constants, body)


def comment_safe(text: str) -> str:
    """Return somebody's text as it may stand in a script's comment or docstring: one line without quotes or backslashes."""
    return shown(text, 200).replace("\\", "/").replace('"', "'")


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _words(words) -> str:
    return "{" + ", ".join(map(_literal, words)) + "}"


def _sentence(task: Task) -> str:
    text = f"{task.kind.title}: {comment_safe(task.sentence())}. Return x and y to train on, then those held out."
    return textwrap.fill(text, 112, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def _table(task: Task, table: Table) -> tuple[tuple[str, ...], str, str]:
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
        sentence=_sentence(task),
        seed=task.seed,
        standardised="standardised(column, training) for column in columns" if any(is_number) else "*columns",
        standardise_y=standardise_y,
        delimiter=_literal(table.delimiter),
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
    return ("import csv",), f"{''.join(parts)}\n{SPLIT}", _table_digest(used, y)


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


def _pictures(task: Task, pictures: Pictures) -> tuple[tuple[str, ...], str, str]:
    own, (channels, height, width) = task.own, task.own.shape
    is_bytes = pictures.images.dtype == np.uint8
    images = [f"images = images.reshape(-1, 1, {height}, {width})"]
    if channels > 1:
        condition = "" if own.shape == (4, 4, 4) else f"if images.shape[1:] != {own.shape}:  # its channels come last\n            "
        images = [f"{condition}images = images.transpose(0, 3, 1, 2)"]
    if is_bytes and not ((pictures.images != 0) & (pictures.images != 255)).any():
        images.append("if images.dtype == bool:\n            images = images * np.uint8(255)")
    images.append("x = np.ascontiguousarray(images, dtype=np.float32)")
    y = "np.unique(labels, return_inverse=True)[1].ravel()"
    if own.kind == "masks":
        y = f"(masks.reshape(len(x), 1, {height}, {width}) != 0).astype(np.float32)"
    body = PICTURES.format(
        sentence=_sentence(task),
        seed=task.seed,
        standardise=CHANNELS.format(channels=channels),
        numbers="0 to 1" if is_bytes else "as they are",
        target=own.kind,
        images="".join(f"        {line}\n" for line in images),
        y=y,
        x="x / 255" if is_bytes else "x",
    )
    return (), f"{body}{MEAN.format(flat=FLAT)}\n{SPLIT}", _pictures_digest(pictures, own)


CHANNELS = """    for channel in range({channels}):  # mean 0 and deviation 1 in the training part
        mean, deviation = mean_and_deviation(x[training, channel])
        x[:, channel] -= np.float32(mean)
        x[:, channel] /= np.float32(deviation)
"""


def _pictures_digest(pictures: Pictures, own: Own) -> str:
    """Return the digest picture by picture: all of them as floats take much memory."""
    found = hashlib.sha256()
    for image in pictures.images:
        found.update(image.astype(np.float32).tobytes())
    if own.kind == "labels":
        found.update(pictures.labels.astype(np.int64).tobytes())
    else:
        for mask in pictures.masks:
            found.update(mask.astype(np.float32).tobytes())
    return found.hexdigest()
