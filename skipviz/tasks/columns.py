"""Columns of text told to be numbers, dates, categories, ids or nothing to learn from; each with the true reason. numpy only."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import compress, islice

import numpy as np

from .numerals import DATE, LARGEST_NUMBER, day, number
from .own import MOST_CLASSES, shown
from .table import Column
from .table_head import AROUND, holds_numbers, is_nothing, sampled

MOST_CATEGORIES = MOST_CLASSES
"""Different values of a column that is read as categories; each becomes an input."""
MOSTLY = 0.95
"""Share of a column's values that have to be numbers; the rest is then taken as missing."""
UNITS_SAMPLED = 200
HALF = 0.5
"""Share of sampled numbers beside which the same unit stands."""

_MARKED = re.compile(r"[+\-\u2212]?[\d.,'’\s]*\d[\d.,'’\s]*(?:[eE][+-]?\d+)?")
_GROUPS = {".": re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+"), ",": re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}")}
"""Whole numbers whose thousands are parted."""
_ID_WORDS = {"id", "ids", "index", "uuid", "guid", "row", "rownum", "rowid", "nr", "no", "num", "sno", "key", "#"}
_ID_NAMES = {"unnamed: 0", "row number", "record number", "serial number", "sl no", "s/n"}


@dataclass
class Draft:
    """A column before it is known how the file writes numbers."""

    name: str
    known: list[str]
    is_known: list[bool]
    is_typed: bool
    unit: str = ""
    marks: str = ""
    """What its numbers say: that "point" or "comma" is the decimal mark, "dots" or "commas" that may be either, or nothing."""
    orders: dict[str, np.ndarray] = field(default_factory=dict)
    """Of dates: the days by what may come first."""

    @property
    def missing(self) -> int:
        """How many values are missing."""
        return len(self.is_known) - len(self.known)

    def left_out(self, reason: str) -> Column:
        """Return it as a column that is not used."""
        return Column(self.name, "left out", self.missing, len(set(self.known)), reason)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Return the values of the known cells at their places, NaN elsewhere."""
        all_values = np.full(len(self.is_known), np.nan)
        all_values[self.is_known] = values
        return all_values


def columns_of(names: list[str], columns, typed: list[bool], delimiter: str) -> tuple[Column, ...]:
    """Return the columns of a table, told by all of it how it writes numbers and dates.

    `columns` are each column's cells as text; a typed one holds numbers as a program writes them.
    """
    drafts = [_draft(name, list(cells), is_typed) for name, cells, is_typed in zip(names, columns, typed, strict=True)]
    comma = _comma(drafts, delimiter)
    first = _first(drafts, comma)
    return _with_something_to_tell([_column(draft, comma, first) for draft in drafts])


def _with_something_to_tell(columns: list[Column]) -> tuple[Column, ...]:
    """Return the columns; where all but ids are left out, these are numbers like others, first those that only grow."""
    for reason in ("it only", ""):
        if any(column.kind in ("number", "category") for column in columns):
            break
        ids = {column.name for column in columns if column.kind == "id" and column.reason.startswith(reason)}
        columns = [replace(column, kind="number", reason=None) if column.name in ids else column for column in columns]
    return tuple(columns)


def _draft(name: str, cells: list[str], is_typed: bool) -> Draft:
    cells = [cell.strip() for cell in cells]
    is_known = [not is_nothing(cell) for cell in cells]
    draft = Draft(name, list(compress(cells, is_known)), is_known, is_typed)
    if not draft.known:
        return draft
    if all(map(DATE.fullmatch, islice(sampled(draft.known), 10))):
        draft.orders = _orders(draft.known)
    if not draft.orders and not is_typed and holds_numbers(draft.known):
        draft.unit = _unit(draft.known)
        draft.marks = _marks([cell.replace(draft.unit, "", 1).strip() for cell in draft.known] if draft.unit else draft.known)
    return draft


def _unit(known: list[str]) -> str:
    """Return what stands before or behind most of the numbers, or nothing."""
    count, units = _units(known)
    unit, often = units.most_common(1)[0] if units else ("", 0)
    return unit if often > MOSTLY * units.total() and often >= HALF * count else ""


def _units(known: list[str]) -> tuple[int, Counter[str]]:
    """Return how many of some cells are numbers, and how often each unit stands beside one."""
    around = [found for cell in islice(known, UNITS_SAMPLED) if (found := AROUND.fullmatch(cell))]
    return len(around), Counter(found[1] or found[3] for found in around if found[1] or found[3])


def _marks(cells: list[str]) -> str:
    text = "".join(cells)
    votes: Counter[str] = Counter()
    for cell in cells if "." in text or "," in text else ():
        if "." in cell or "," in cell:
            votes[_mark(cell)] += 1
            if votes["point"] + votes["comma"] >= (50 if "." in text and "," in text else 1):
                break
    del votes[""]
    certain = votes["point"] - votes["comma"]
    return "point" if certain > 0 else "comma" if certain < 0 else "dots" if votes["dots"] else "commas" if votes["commas"] else ""


def _mark(cell: str) -> str:
    """Return what one number says of its marks: the last of two kinds is the decimal one, several of one kind part thousands."""
    dots, commas = cell.count("."), cell.count(",")
    if not _MARKED.fullmatch(cell):
        return ""
    if dots and commas:
        return "point" if cell.rindex(".") > cell.rindex(",") else "comma"
    is_grouped = bool(_GROUPS["." if dots else ","].fullmatch(cell))
    if dots + commas > 1:
        return ("comma" if dots else "point") if is_grouped else ""
    return ("dots" if dots else "commas") if is_grouped else "point" if dots else "comma"


def _comma(drafts: list[Draft], delimiter: str) -> bool:
    """Return whether the comma is taken for the decimal mark where a column does not tell: by the other columns, or by habits.

    A file with semicolons has them since the comma is taken. Where some numbers have three digits behind a mark and the others
    are whole and below a thousand, it parts thousands.
    """
    said = Counter(draft.marks for draft in drafts)
    if said["point"] != said["comma"]:
        return said["comma"] > said["point"]
    if delimiter == ";":
        return True
    votes = 0
    for draft in drafts:
        if draft.marks in ("dots", "commas"):
            mark = "." if draft.marks == "dots" else ","
            whole = [abs(number(cell, False, draft.unit)) for cell in draft.known if mark not in cell]
            parts_thousands = (bool(whole) and max(whole) < 1000) or (mark == "," and delimiter == ",")
            votes += 1 if (mark == ".") == parts_thousands else -1
    return votes > 0


def _orders(known: list[str]) -> dict[str, np.ndarray]:
    """Return the days that the cells mean, by what of a date may come first; one order where the cells tell."""
    different = set(known)
    found = {}
    for first in ("year",) if DATE.fullmatch(known[0]) and len(DATE.fullmatch(known[0])[1]) == 4 else ("day", "month"):
        days = {cell: day(cell, first) for cell in different}
        found[first] = np.array([days[cell] for cell in known])
    strange = {first: int(np.isnan(days).sum()) for first, days in found.items()}
    fewest = min(strange.values())
    if fewest > (1 - MOSTLY) * len(known):
        return {}
    return {first: days for first, days in found.items() if strange[first] == fewest}


def _first(drafts: list[Draft], comma: bool) -> str:
    """Return what comes first in dates that may be read both ways: as in the file's other dates, or by the marks it uses."""
    said = Counter(next(iter(draft.orders)) for draft in drafts if len(draft.orders) == 1)
    if said["day"] != said["month"]:
        return "day" if said["day"] > said["month"] else "month"
    return "day" if comma or any(len(draft.orders) == 2 and "." in draft.known[0] for draft in drafts) else "month"


def _column(draft: Draft, comma: bool, first: str) -> Column:
    """Return one column: numbers where nearly all of its values are, categories where they are few, else left out."""
    if not draft.known:
        return draft.left_out("empty")
    if len(set(draft.known)) == 1:
        return draft.left_out("the same in every row" if not draft.missing else "the same in every row that has a value")
    if draft.orders:
        return _dates(draft, first)
    is_open = draft.marks in ("dots", "commas")
    comma = comma if is_open else draft.marks == "comma"
    values, strange = _numbers(draft, comma)
    if values is None:
        return _categories(draft, strange)
    column = _number_column(draft, values, strange, comma)
    if is_open and column.values is not None:
        other = draft.spread(_numbers(draft, not comma)[0])
        example = next(cell for cell in draft.known if "." in cell or "," in cell)
        column = replace(column, other=other, written=shown(example, 16))
    return column


def _dates(draft: Draft, first: str) -> Column:
    first = first if first in draft.orders else next(iter(draft.orders))
    days = draft.orders[first]
    column = _number_column(draft, days, [cell for cell, is_none in zip(draft.known, np.isnan(days), strict=True) if is_none])
    if column.values is None:
        return column
    column = replace(column, date=first)
    if len(draft.orders) == 2 and not np.array_equal(*draft.orders.values(), equal_nan=True):
        (other,) = (days for order, days in draft.orders.items() if order != first)
        column = replace(column, other=draft.spread(other), written=shown(draft.known[0], 16))
    return column


def _numbers(draft: Draft, comma: bool) -> tuple[np.ndarray | None, list[str]]:
    """Return the known values as numbers, NaN where one is none, and those that are none; None if these are too many."""
    plain = _plain(draft, comma)
    if plain is not None:
        return plain, []
    most = int((1 - MOSTLY) * len(draft.known))
    numbers, strange = np.full(len(draft.known), np.nan), []
    for place, cell in enumerate(draft.known):
        numbers[place] = number(cell, comma, draft.unit)
        if numbers[place] != numbers[place]:
            strange.append(cell)
            if len(strange) > most:
                return None, strange
    return numbers, strange


def _plain(draft: Draft, comma: bool) -> np.ndarray | None:
    """Return what `number` makes of the known cells, in one go, where that is what Python's own numbers are; else None."""
    cells = draft.known
    text = "".join(cells)
    if draft.unit or "_" in text or (comma and "." in text):
        return None
    if comma:
        cells = [cell.replace(",", ".", 1) for cell in cells]
    try:
        numbers = np.array(list(map(float, cells)))
    except ValueError:
        return None
    return numbers if (np.abs(numbers) <= LARGEST_NUMBER).all() else None


def _number_column(draft: Draft, known: np.ndarray, strange: list[str], comma: bool = False) -> Column:
    """Return a column of numbers, unless it tells nothing."""
    numbers = known[~np.isnan(known)]
    different = len(np.unique(numbers))
    if different == 1 and np.abs(numbers).max() > 2.0**53:
        return draft.left_out("its numbers differ only behind the first 15 digits, more than a number here holds")
    if different == 1:
        return draft.left_out("the same in every row")
    missing = draft.missing + len(strange)
    why = _why_id(draft, numbers) if not missing and different == len(numbers) else None
    if why:
        return Column(draft.name, "id", 0, different, why, (), draft.spread(known), comma, draft.unit)
    counted = f"{len(strange)} {'value that is no number' if len(strange) == 1 else 'values that are no numbers'}"
    reason = f"{counted}, such as {shown(strange[0], 16)}" if strange else None
    return Column(draft.name, "number", missing, different, reason, (), draft.spread(known), comma, draft.unit)


def _why_id(draft: Draft, numbers: np.ndarray) -> str | None:
    """Return why numbers that all differ tell a row's place or name, or None."""
    if draft.orders or not (numbers == np.round(numbers)).all():
        return None
    steps = np.diff(numbers)
    if (steps == 1).all() or (steps == -1).all():
        return "it counts the rows"
    if is_id_name(draft.name):
        return "an id: another number in every row"
    if (steps > 0).all() or (steps < 0).all():
        return f"it only {'grows' if steps[0] > 0 else 'falls'} from row to row, as an id does"
    return None


def is_id_name(name: str) -> bool:
    """Return whether a column is called as ids are: PassengerId, row_number, Serial No., id_code."""
    if name.lower().strip() in _ID_NAMES:
        return True
    words = re.findall(r"#|[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    words = [word.lower() for word in words]
    return bool(words) and (words[-1] in _ID_WORDS or words[0] in _ID_WORDS - {"no", "key"} or " ".join(words) in _ID_NAMES)


def _categories(draft: Draft, strange: list[str]) -> Column:
    """Return a column of words, or the reason why there is none."""
    different = sorted(set(draft.known))
    if len(different) == len(draft.known) and not draft.missing and not holds_numbers(draft.known):
        return draft.left_out("another value in every row, as an id has")
    if len(different) > MOST_CATEGORIES:
        reason = f"{len(different):,} different values, and at most {MOST_CATEGORIES} become inputs"
        if holds_numbers(draft.known):
            units = [unit for unit, _ in _units(draft.known)[1].most_common(3)]
            found = f"numbers with different units ({shown(', '.join(units), 24)})" if len(units) > 1 else "numbers and others"
            reason = f"{found}, such as {shown(strange[0], 16)}; as words {reason}"
        return draft.left_out(reason)
    places = {category: place for place, category in enumerate(different)}
    known = np.array([places[cell] for cell in draft.known], dtype=np.int32)
    values = np.full(len(draft.is_known), -1, dtype=np.int32)
    values[draft.is_known] = known
    names = tuple(shown(text, 60) for text in different)
    return Column(draft.name, "category", draft.missing, len(different), None, names, values)
