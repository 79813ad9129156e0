"""One run's folder: its frames in Parquet files that only ever appear whole, and its checkpoint.

A file's name says the edition (frames were thinned or taken back: another edition), the places of its first and last
frame, and how often it was merged. Files are merged by `FANOUT`, then by `FANOUT` of these, so a frame is rewritten a few
times at most and a long run has a few dozen files. Imports pyarrow.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as parquet

from .columns import GLANCED, Row, glanced, joined, rows_from, table_from
from .folder import checkpoint_step

FANOUT = 16
_NAME = re.compile(r"(\d{6})-(\d{9})-(\d{9})\.(\d)\.parquet")


class _Chunk(NamedTuple):
    edition: int
    first: int
    last: int
    level: int

    @property
    def name(self) -> str:
        return f"{self.edition:06d}-{self.first:09d}-{self.last:09d}.{self.level}.parquet"


class RunFolder:
    """The files of one run; nothing is there before the first is written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, edition: int, rows: list[Row]) -> None:
        """Write rows that follow those of this edition; those that are there already are left out."""
        known = self.last_place(edition)
        rows = [row for row in rows if row.place > known]
        if rows:
            self._write(_Chunk(edition, rows[0].place, rows[-1].place, 0), table_from(rows))

    def rows(self, edition: int) -> list[Row]:
        """Return an edition's rows in order."""
        return [row for chunk in self._chunks(edition) for row in rows_from(self._read(chunk))]

    def glance(self, edition: int, most: int) -> list[bytes]:
        """Return at most `most` frames, evenly spread, with step, loss and weight gradients alone; reads nothing else."""
        tables = [self._read(chunk, GLANCED) for chunk in self._chunks(edition)]
        return glanced(joined(tables), most) if tables else []

    def last_place(self, edition: int) -> int:
        """Return the place of an edition's last frame, or −1."""
        return max((chunk.last for chunk in self._chunks(edition)), default=-1)

    def merge(self, edition: int, everything: bool = False) -> None:
        """Join small files into larger ones; `everything` into one."""
        while len(group := self._mergeable(edition, everything)) > 1:
            level = min(9, max(chunk.level for chunk in group) + 1)
            merged = _Chunk(edition, group[0].first, group[-1].last, level)
            self._write(merged, joined([self._read(chunk) for chunk in group]))
            for chunk in group:
                if chunk != merged:
                    (self.path / chunk.name).unlink(missing_ok=True)

    def keep_only(self, edition: int, checkpoint: int | None, live: bool) -> None:
        """Remove what was left of other editions and checkpoints, of merged files and of writes that were cut off.

        Of a live run newer checkpoints stay, and what is being written.
        """
        if not self.path.is_dir():
            return
        wanted = {chunk.name for chunk in self._chunks(edition)}
        for file in self.path.iterdir():
            step = checkpoint_step(file.name)
            if step is None:
                stays = file.name in wanted or (live and file.suffix == ".part")
            else:
                stays = step == checkpoint or (live and (checkpoint is None or step > checkpoint))
            if not stays:
                file.unlink(missing_ok=True)

    def bytes(self) -> int:
        """Return the size of all its files."""
        try:
            return sum(entry.stat().st_size for entry in os.scandir(self.path))
        except FileNotFoundError:
            return 0

    def remove(self) -> None:
        """Remove the folder; afterwards nothing of it is there."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _chunks(self, edition: int) -> list[_Chunk]:
        """Return an edition's files in order, without those whose frames a merged file holds too."""
        if not self.path.is_dir():
            return []
        found = [_Chunk(*map(int, match.groups())) for name in os.listdir(self.path) if (match := _NAME.fullmatch(name))]
        chunks: list[_Chunk] = []
        for chunk in sorted(found, key=lambda one: (one.first, -one.last, -one.level)):
            if chunk.edition == edition and (not chunks or chunk.last > chunks[-1].last):
                chunks.append(chunk)
        return chunks

    def _mergeable(self, edition: int, everything: bool) -> list[_Chunk]:
        chunks = self._chunks(edition)
        if everything:
            return chunks
        for level in range(9):
            group = [chunk for chunk in chunks if chunk.level == level]
            if len(group) >= FANOUT:
                return group
        return []

    def _read(self, chunk: _Chunk, names: tuple[str, ...] | None = None):
        """Return a file as a table; of the columns whose names end in `names` only, if these are given."""
        path, columns = self.path / chunk.name, None
        if names is not None:
            columns = [name for name in parquet.read_schema(path).names if name.endswith(names)]
        return parquet.read_table(path, columns=columns, use_threads=False, memory_map=False)

    def _write(self, chunk: _Chunk, table) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        part = self.path / f"{chunk.name}.part"
        try:
            with part.open("wb") as file:
                parquet.write_table(table, file, compression="zstd", use_dictionary=False, write_statistics=False)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path / chunk.name)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        _sync_folder(self.path)


def _sync_folder(path: Path) -> None:
    """Make a new name in a folder last through a power cut, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
