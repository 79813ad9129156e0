"""One door for files that people send: bytes and a name in, a table or pictures out, or one sentence. numpy only."""

from __future__ import annotations

from . import pictures, table
from .own import Own, UploadError, shown_file
from .pictures import Pictures
from .read_pictures import read_pictures
from .read_table import read_table
from .table import Table

TABLES = (".csv", ".tsv", ".txt")
PICTURES = (".npz",)


def read(content: bytes, name: str) -> Table | Pictures:
    """Return what a file holds, told by its name's end; raises `UploadError` with one sentence for all that is wrong.

    Nothing is written, unpickled or run; time and memory are bounded by the limits of `read_table` and `read_pictures`.
    """
    file = shown_file(name)
    suffix = "." + file.rpartition(".")[2].lower() if "." in file else ""
    if suffix in TABLES:
        return read_table(content, name)
    if suffix in PICTURES:
        return read_pictures(content, name)
    if suffix in (".pkl", ".pickle", ".pt", ".pth", ".joblib"):
        raise UploadError(f"{file} is a pickle, which is never opened: send a .csv table or an .npz of plain arrays")
    raise UploadError(f"{file} is neither a .csv table nor an .npz of pictures")


def described(data: Table | Pictures, target: str | None = None, kind: str | None = None) -> Own:
    """Return the task's description of telling `target` (None: the likely one); raises `UploadError`."""
    target = target or data.likely_target()
    return pictures.described(data, target) if isinstance(data, Pictures) else table.described(data, target, kind)
