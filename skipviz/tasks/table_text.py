"""The rows of a table that is text: its encoding, what stands above it, what parts its columns."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from .numerals import number
from .own import MOST_ROWS, UploadError, shown

MOST_BYTES = 8 * 2**20
MOST_COLUMNS = 200
MOST_CELLS = 500_000
LONGEST_LINE = 2**18
"""Characters."""
SNIFFED = 40
"""Lines by which the separator is found."""
MOST_ABOVE = 30
"""Lines above a table that are passed over: comments and titles."""
BYTES_GUESSED_FROM = 16_384
"""Of lines that are no UTF-8, by which their encoding is found."""
NEAR = 0.05
"""How much less likely than the best guess the most common encoding may be and is still taken."""

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "|"}
COMMENTS = ("#", "%", "//")
ENCODINGS = {
    "cp1252": "Windows-1252 (Latin-1)", "cp1250": "Windows-1250", "cp1251": "Windows-1251", "cp1253": "Windows-1253",
    "cp1254": "Windows-1254", "cp932": "Shift-JIS", "gb18030": "GB 18030", "big5": "Big5", "cp949": "Korean (949)",
    "koi8_r": "KOI8-R", "mac_roman": "Mac Roman",
}  # fmt: skip
"""Encodings that are guessed among, the most common one first, and their names."""
_AS_CSV = "export the table as CSV UTF-8"
_BINARY = {
    b"PK\x03\x04": "a zip archive",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\x93NUMPY": "a numpy array",
    b"\xd0\xcf\x11\xe0": "an old Office file (.xls)",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "a database",
    b"\x80\x02": "a pickle, which is never opened",
    b"\x80\x03": "a pickle, which is never opened",
    b"\x80\x04\x95": "a pickle, which is never opened",
    b"\x80\x05\x95": "a pickle, which is never opened",
    b"{\\rtf": "a document (RTF)",
}
_NOT_THE_FILE = (
    (
        b"version https://git-lfs",
        "is a git-lfs pointer that stands for the file: download the file itself (git lfs pull)",
    ),
    (b"/annex/objects/", "is a git-annex pointer that stands for the file: download the file itself (git annex get)"),
    (b"<!doctype html", "is a web page, not the table that it links to: download the file itself (on GitHub by Raw)"),
    (b"<html", "is a web page, not the table that it links to: download the file itself (on GitHub by Raw)"),
    (b"<?xml", f"is XML: {_AS_CSV}"),
    (b"@relation", f"is an ARFF file: {_AS_CSV}"),
)


@dataclass(frozen=True)
class Rows:
    """A table's rows before their kind is known, all equally long, and how they were found."""

    cells: list[list[str]]
    delimiter: str
    encoding: str
    above: int
    """Lines passed over above the first row."""
    notes: tuple[str, ...] = ()


def text_rows(content: bytes, file: str) -> Rows:
    """Return the rows of a CSV file, names and units among them; raises `UploadError` for any other content."""
    text, encoding, notes = _text(content, file)
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    above, delimiter = _beginning(lines, file)
    cells = _records(_from(lines, above), delimiter, above, file)
    if above:
        notes = (*notes, f"passed over {above} line{'s' if above > 1 else ''} above the table")
    return Rows(cells, delimiter, encoding, above, notes)


def check_size(content: bytes, file: str) -> None:
    """Raise `UploadError` where a file has no content, or more than a table may have."""
    if len(content) > MOST_BYTES:
        raise UploadError(f"{file} has {len(content) / 2**20:.1f} MB and a table has at most {MOST_BYTES // 2**20}")
    if not content.strip():
        raise UploadError(f"{file} is empty")


def check_columns(count: int, file: str) -> None:
    """Raise `UploadError` where a table has too many columns."""
    if count > MOST_COLUMNS:
        raise UploadError(f"{file} has {count:,} columns and a table has at most {MOST_COLUMNS}")


def _text(content: bytes, file: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the text, its encoding, and what there is to say of that."""
    for beginning, what in _BINARY.items():
        if content.startswith(beginning):
            raise UploadError(f"{file} is {what}, not a CSV file: {_AS_CSV}")
    first = content[:400].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    for mark, what in _NOT_THE_FILE:
        if first.startswith(mark) or (mark.startswith(b"/annex") and mark in first):
            raise UploadError(f"{file} {what}")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _decoded(content, "utf-16", file), "utf-16", ("read it as UTF-16 text",)
    if b"\0" in content:
        raise UploadError(f"{file} holds zero bytes, as binary files do: {_AS_CSV}")
    if first[:1] in (b"{", b"[") and _is_json(content):
        raise UploadError(f"{file} is JSON: {_AS_CSV}")
    try:
        return content.decode("utf-8-sig"), "utf-8-sig", ()
    except UnicodeDecodeError as error:
        encoding = _guessed(content)
        if encoding is None:
            line = content.count(b"\n", 0, error.start) + 1
            raise UploadError(f"line {line:,} of {file} is text of no known encoding: save it as CSV UTF-8") from None
    return _decoded(content, encoding, file), encoding, (f"read it as {ENCODINGS[encoding]} text",)


def _is_json(content: bytes) -> bool:
    try:
        return isinstance(json.loads(content[:200_000]), dict | list)
    except ValueError:
        return content.lstrip().startswith((b'{"', b'[{"', b"{\n", b"[\n")) or content[:4000].count(b'":') > 3
    except RecursionError:
        return True


def _decoded(content: bytes, encoding: str, file: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise UploadError(f"{file} is damaged {encoding.upper()} text: save it as CSV UTF-8") from None


def _guessed(content: bytes) -> str | None:
    """Return the encoding in which the lines that are no ASCII are most likely written, or None."""
    from charset_normalizer import from_bytes

    strange = b"\n".join(line for line in islice(content.splitlines(), 200_000) if not line.isascii())[:BYTES_GUESSED_FROM]
    found: dict[str, tuple[float, float]] = {}
    for guess in from_bytes(strange, cp_isolation=list(ENCODINGS)):
        for encoding in (guess.encoding, *guess.could_be_from_charset):
            if encoding in ENCODINGS and _decodes(content, encoding):
                found.setdefault(encoding, (guess.chaos, -guess.coherence))
    if not found:
        return next((encoding for encoding in ENCODINGS if _decodes(content, encoding)), None)
    best = min(found.values())
    near = [encoding for encoding, (chaos, words) in found.items() if chaos <= best[0] + NEAR and words <= best[1] + NEAR]
    return min(near, key=list(ENCODINGS).index)


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _from(text: str, above: int) -> io.StringIO:
    """Return the lines below the first `above` ones, as the csv module wants them."""
    lines = io.StringIO(text, newline="")
    for _ in islice(lines, above):
        pass
    return lines


def _bounded(lines: io.StringIO, file: str) -> Iterator[str]:
    """Yield the lines; a line of millions of separators would cost hundreds of MB before its columns are counted."""
    for line in lines:
        if len(line) > LONGEST_LINE:
            raise UploadError(f"{file} has a line of {len(line):,} characters and a line has at most {LONGEST_LINE:,}")
        yield line


def _beginning(text: str, file: str) -> tuple[int, str]:
    """Return how many lines stand above the table, comments and titles, and what parts its columns."""
    lines = list(islice(_bounded(_from(text, 0), file), MOST_ABOVE + SNIFFED))
    declared = re.fullmatch(r"\s*\"?sep=(.)\"?\s*", lines[0]) if lines else None
    if declared and declared[1] in DELIMITERS:
        return 1, declared[1]
    above = 0
    while above < min(MOST_ABOVE, len(lines)) and (not lines[above].strip() or lines[above].startswith(COMMENTS)):
        above += 1
    delimiter, titles, width = _delimiter(lines[above : above + SNIFFED], file)
    under = _cells("".join(lines[above : above + 1]), delimiter)
    if above and not titles and len(_cells(lines[above - 1], delimiter)) == width and not all(map(math.isnan, map(number, under))):
        above -= 1  # a line of names that begins like a comment, as numpy.savetxt writes it
    above += titles
    return (above if any(line.strip() for line in lines[:above]) else 0), delimiter


def _cells(line: str, delimiter: str) -> list[str]:
    """Return the cells of one line, none where it is no CSV by itself."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _delimiter(lines: list[str], file: str) -> tuple[str, int, int]:
    """Return what parts the columns, how many lines of a single column stand above them, and how many columns there are.

    It is what gives all lines the same number of columns, rather no comma, which stands in numbers too, or the most.
    """
    found = {}
    for delimiter in DELIMITERS:
        try:
            reader = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter)
            rows = [(reader.line_num, len(row)) for row in reader if row]
        except csv.Error:
            return delimiter, 0, 0  # reading all of it will tell what is wrong
        counts = [count for _, count in rows]
        titles = next((place for place, count in enumerate(counts) if count > 1), len(counts))
        if titles < min(len(counts), MOST_ABOVE):
            is_even = len(set(counts[titles:-1])) <= 1 and (not titles or len(counts) - titles > titles + 2)
            lines_above = rows[titles - 1][0] if titles else 0
            found[delimiter] = (is_even, -titles, is_even and delimiter != ",", counts[titles]), lines_above, counts[titles]
    if not found:
        raise UploadError(
            f"{file} has one column and a table needs two, one to tell from the other: separate them by comma, semicolon, tab or |"
        )
    delimiter = max(found, key=lambda one: found[one][0])
    (is_even, *_), lines_above, width = found[delimiter]
    return delimiter, lines_above if is_even else 0, width


def _records(lines: io.StringIO, delimiter: str, above: int, file: str) -> list[list[str]]:
    """Return the rows, all equally long; one more than the most may be names, another one units."""
    reader = csv.reader(_bounded(lines, file), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    most = MOST_ROWS + 2
    try:
        for row in reader:
            if not row:
                continue
            if not rows:
                check_columns(len(row), file)
                most = min(MOST_ROWS, MOST_CELLS // len(row)) + 2
            elif len(row) != len(rows[0]):
                where = f"line {above + reader.line_num:,} of {file} has {len(row)} columns and its first line {len(rows[0])}"
                raise UploadError(f"{where}: it may be cut short, or a {DELIMITERS[delimiter]} may stand in a value without quotes")
            if len(rows) == most:
                raise UploadError(f"{file} has more than the {most - 2:,} rows that a table of {len(row)} columns may have")
            rows.append(row)
    except csv.Error as error:
        problem = str(error)
        if "unexpected end" in problem:
            raise UploadError(f"{file} ends inside a quoted value: it is cut short, or a quote is not closed") from None
        if "field larger" in problem:
            raise UploadError(
                f"a value in {file} has more than {csv.field_size_limit():,} characters: is a quote not closed?"
            ) from None
        raise UploadError(f"line {above + reader.line_num:,} of {file} is not CSV: {shown(problem, 80)}") from None
    return rows
