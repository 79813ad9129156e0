"""Jobs on the disk: a file of JSON lines each, to which rows and states are appended. Every method may wait for the disk.

The first line is what was asked for; a line holds `{"row": …}` or `{"state": …, …}`. A file without an end is that of a job which
was under way when its server ended.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from .folder import is_id
from .retention import Retention

ENDING = ".jsonl"
ROW = b'{"row":'
LAST_BYTES = 4096
"""Of a file's end, in which its last state is found."""


class KeptJob(NamedTuple):
    """A kept job without its rows."""

    head: dict
    last: dict
    """Its last state; empty where none was written at the end."""


class JobFiles:
    """The jobs in a folder, which is made with the first."""

    def __init__(self, folder: Path, retention: Retention) -> None:
        self._folder, self._retention = folder, retention

    def append(self, job_id: str, lines: Sequence[bytes]) -> None:
        """Write further lines of JSON, without their line breaks, behind a line that was cut short too; raises `OSError`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._path(job_id).open("ab+") as file:
            cut = file.tell() and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n"
            file.write(b"\n" * bool(cut) + b"".join(line + b"\n" for line in lines))

    def read(self, job_id: str) -> tuple[dict, list[bytes]] | None:
        """Return a job's head and its rows, or None where it is not kept; a line that was cut short is left out."""
        if not is_id(job_id):
            return None
        try:
            first, *lines = self._path(job_id).read_bytes().split(b"\n")
            head = json.loads(first)
        except (OSError, ValueError):
            return None
        return head, [line[len(ROW) : -1] for line in lines if line.startswith(ROW) and _is_json(line)]

    def kept(self) -> Iterator[KeptJob]:
        """Yield every job that is kept."""
        for path in self._folder.glob(f"*{ENDING}"):
            try:
                with path.open("rb") as file:
                    head = json.loads(file.readline())
                    file.seek(max(file.tell(), file.seek(0, os.SEEK_END) - LAST_BYTES))
                    last = file.read().split(b"\n")[-2:-1]
                state = json.loads(last[0]) if last and last[0].startswith(b'{"state":') else {}
            except (OSError, ValueError):
                continue
            if head.get("id") == path.stem:
                yield KeptJob(head, state)

    def tidy(self, now: float, going: set[str]) -> list[str]:
        """Delete what is over the retention, `going` apart; return the ids of what went."""
        files = []
        for path in self._folder.glob(f"*{ENDING}"):
            try:
                found = path.stat()
            except OSError:
                continue
            files.append((path.stem, found.st_mtime, found.st_size))
        ended = sorted((file for file in files if file[0] not in going), key=lambda file: file[1])
        live_bytes = sum(size for name, _, size in files if name in going)
        gone = self._retention.overdue(ended, now, live_bytes)
        for name in gone:
            self.remove(name)
        return gone

    def remove(self, job_id: str) -> None:
        """Delete a job."""
        self._path(job_id).unlink(missing_ok=True)

    def _path(self, job_id: str) -> Path:
        return self._folder / f"{job_id}{ENDING}"


def _is_json(line: bytes) -> bool:
    try:
        return bool(json.loads(line))
    except ValueError:
        return False
