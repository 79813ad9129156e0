"""One door for files that people send: bytes and a name in, a table or pictures out, or one sentence. numpy only."""

from __future__ import annotations

from . import pictures, table
from .own import Own, UploadError, shown_file
from .pictures import Pictures
from .pixel_table import read_pixels
from .read_pictures import read_pictures
from .read_table import read_array_table, read_table
from .table import Table

TABLES = (".csv", ".tsv", ".txt", ".data", ".xlsx", ".parquet", ".gz")
PICTURES = (".npz", ".npy", ".zip")
"""Ends of names of which it is known what they are meant to be, whatever is in them."""
PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".joblib")
ARRAY = b"\x93NUMPY"
ARCHIVES_AND_ARRAYS = (b"PK\x03\x04", b"PK\x05\x06", ARRAY)
_SHEETS = b"xl/workbook.xml"


def read(content: bytes, name: str, pictures: bool = False) -> Table | Pictures:
    """Return what a file holds, known by its first bytes and its name's end; raises `UploadError` with one sentence.

    A single array of two dimensions is a table; archives and other arrays are pictures unless they are a spreadsheet's, all else
    is a table. Nothing is written, unpickled or
    run; time and memory are bounded by the limits of `read_table` and `read_pictures`. A table too wide for one whose columns
    are a square picture's pixels is pictures; a narrower one is where `pictures` are wanted.
    """
    file = shown_file(name)
    suffix = "." + file.rpartition(".")[2].lower() if "." in file else ""
    if suffix in PICKLES:
        raise UploadError(f"{file} is a pickle, which is never opened: send a .csv table or an .npz of plain arrays")
    if content.startswith(ARRAY) and (table := read_array_table(content, name)):
        return table
    is_archive = content.startswith(ARCHIVES_AND_ARRAYS) and _SHEETS not in content
    if suffix in PICTURES or (is_archive and suffix not in TABLES):
        return read_pictures(content, name)
    return read_pixels(content, name, pictures) or read_table(content, name)


def described(data: Table | Pictures, target: str | None = None, kind: str | None = None, **choices) -> Own:
    """Return the task's description of telling `target` (None: the likely one); raises `UploadError`.

    `choices` say how the file is to be read, where it can be read in several ways: `Own.choices`.
    """
    if isinstance(data, Pictures):
        return pictures.described(data, target or data.likely_target())
    return table.described(data, target, kind, **choices)
