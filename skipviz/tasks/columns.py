"""Columns of text taken for numbers, dates, categories, ids or nothing to learn from; each with the true reason. numpy only."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import compress, islice

import numpy as np

from .numerals import COMMA, DATE, LARGEST_NUMBER, POINT, SPELLINGS, day, marks_within, number
from .own import MOST_CLASSES, shown
from .table import LONGEST_NOTHING, NOTHING, Column
from .table_head import AROUND, holds_numbers, sampled

MOST_CATEGORIES = MOST_CLASSES
"""Different values of a column that is read as categories; each becomes an input."""
MOSTLY = 0.95
"""Share of a column's values that have to be numbers; the rest is then taken as missing."""
UNITS_SAMPLED = 200
MARKS_COUNTED = 300
"""Numbers that are asked which mark is the decimal one."""
MOST_DATES = 6
"""Columns of dates, which take the longest to read."""
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
    """Return the columns of a table, known by all of it how it writes numbers and dates.

    `columns` are each column's cells as text; a typed one holds numbers as a program writes them.
    """
    drafts: list[Draft] = []
    for name, cells, is_typed in zip(names, columns, typed, strict=True):
        drafts.append(_draft(name, list(cells), is_typed, sum(bool(draft.orders) for draft in drafts) < MOST_DATES))
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


def _draft(name: str, cells: list[str], is_typed: bool, may_be_dates: bool) -> Draft:
    cells = [cell.strip() for cell in cells]
    is_known = [len(cell) > LONGEST_NOTHING or cell.lower() not in NOTHING for cell in cells]
    draft = Draft(name, list(compress(cells, is_known)), is_known, is_typed)
    if not draft.known:
        return draft
    if may_be_dates and all(map(DATE.fullmatch, islice(sampled(draft.known), 10))):
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
    """Return what the marks of a column's numbers say; the cells that alone do not tell are passed over quickly."""
    text = "".join(cells)
    marks = [mark for mark in ".," if mark in text]
    if not marks:
        return ""
    if len(marks) == 1:
        (mark,) = marks
        group = _GROUPS[mark].fullmatch
        telling = (cell for cell in cells if mark in cell and (not group(cell) or cell.count(mark) > 1))
        counted = list(islice(telling, MARKS_COUNTED)) or [next(cell for cell in cells if mark in cell)]
    else:
        counted = islice((cell for cell in cells if "." in cell or "," in cell), MARKS_COUNTED)
    votes = Counter(map(_mark, counted))
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
        mark = "." if draft.marks == "dots" else ","
        is_marked = draft.spread(np.array([mark in cell for cell in draft.known])) == 1
        parts_thousands = comma == (mark == ".")
        # An exact whole number by 1,000 is rounded to the same bits as its digits with a mark before the last three.
        read = column.values / 1000 if parts_thousands else np.round(column.values * 1000)
        column = replace(
            column,
            other=np.where(is_marked, read, column.values),
            written=shown(next(cell for cell in draft.known if mark in cell), 16),
        )
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
        column = replace(column, other=draft.spread(other), written=shown(draft.known[int((days != other).argmax())], 16))
    return column


def _numbers(draft: Draft, comma: bool) -> tuple[np.ndarray | None, list[str]]:
    """Return what `number` makes of the known values, and those that are none; None if these are too many."""
    cells = draft.known
    try:
        if draft.unit or comma or "_" in "".join(cells):
            raise ValueError("not as Python writes numbers")
        numbers = np.array(list(map(float, cells)))
        if (np.abs(numbers) <= LARGEST_NUMBER).all():
            return numbers, []
    except ValueError:
        pass
    plain = _plain(cells, comma, draft.unit)
    if None not in plain:
        return np.array(plain), []
    most = int((1 - MOSTLY) * len(cells))
    numbers, strange = np.full(len(cells), np.nan), []
    for place, (cell, value) in enumerate(zip(cells, plain, strict=True)):
        value = number(cell, comma, draft.unit) if value is None else value
        if value != value:
            strange.append(cell)
            if len(strange) > most:
                return None, strange
        numbers[place] = value
    return numbers, strange


def _plain(cells: list[str], comma: bool, unit: str) -> list[float | None]:
    """Return what `number` makes of the cells, all marks taken out at once; None where it has to be asked."""
    text = "\0".join(cells)
    if not text.isascii():
        for odd, usual in SPELLINGS.items():
            text = text.replace(odd, usual)
    given = text.split("\0")
    if unit:
        given = [cell.replace(unit, "", 1).strip() for cell in given]
    text = "\0".join(given)
    for mark in marks_within(comma):
        text = text.replace(mark, "")
    cleaned = text.replace(",", ".").split("\0")
    if len(cleaned) != len(cells):
        return [None] * len(cells)
    are_numbers = map((COMMA if comma else POINT).fullmatch, given)
    return [_float(cell) if is_one else None for cell, is_one in zip(cleaned, are_numbers, strict=True)]


def _float(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if -LARGEST_NUMBER <= value <= LARGEST_NUMBER else None


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
            found = "dates and others" if DATE.fullmatch(draft.known[0]) else found
            reason = f"{found}, such as {shown(strange[0], 16)}; as words {reason}"
        return draft.left_out(reason)
    places = {category: place for place, category in enumerate(different)}
    known = np.array([places[cell] for cell in draft.known], dtype=np.int32)
    values = np.full(len(draft.is_known), -1, dtype=np.int32)
    values[draft.is_known] = known
    names = tuple(shown(text, 60) for text in different)
    return Column(draft.name, "category", draft.missing, len(different), None, names, values)
