"""Data of one's own as the source of a function `data()` that reads a person's own file, as it was read here. numpy only.

What stands in a script of a file's names is somebody's text: it is quoted, and kept to comments and one line.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...tasks.own import shown_file
from ...tasks.pictures import Pictures
from ...tasks.table import NOTHING
from ...tasks.task import Task
from ...tasks.uploads import Uploads
from .own_pictures import pictures_source
from .own_table import table_source
from .own_words import comment_safe, literal, literals
from .source import Sources


@dataclass(frozen=True)
class OwnSource:
    """Parts of a script: what its head says that it needs and is given, imports, constants, `data` with all that it calls."""

    needs: str
    given: str
    imports: tuple[str, ...]
    constants: tuple[str, ...]
    body: str


def own_source(task: Task, uploads: Uploads, sources: Sources) -> OwnSource:
    """Return what a script needs of a task of one's own; raises `UploadError` where the data is not here.

    The functions of ours that this takes come into `sources`.
    """
    data = uploads.load(task.own)
    reading = (pictures_source if isinstance(data, Pictures) else table_source)(task, data, sources)
    name = shown_file(task.own.file)
    constants = (
        f"NAME = {literal(name)}  # what the network is trained on",
        "FILE = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / NAME",
        f'DIGEST = "{reading.digest}"  # SHA-256 of what is read from it',
        'OTHER = f"{FILE} is another file than the {NAME} that this network was trained on."',
        *((f"MISSING = {literals(sorted(NOTHING))}",) if "MISSING" in reading.body else ()),
    )
    libraries = "".join(f", {library}" for library in reading.libraries)
    needs, given = f"{libraries}, and the file {comment_safe(name)}", "; the file lies beside it, or its path is the first argument"
    return OwnSource(needs, given, ("from pathlib import Path", "import sys", *reading.imports), constants, reading.body)
