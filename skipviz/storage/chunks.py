"""One run's frames, in chunks of Parquet that only ever appear whole: files of a folder, or rows of a table.

A chunk's name says the edition (frames were thinned or taken back: another edition), the places of its first and last
frame, and how often it was merged. Chunks are merged by `FANOUT`, then by `FANOUT` of these, so a frame is rewritten a few
times at most and a long run has a few dozen chunks. Imports pyarrow.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import pyarrow
import pyarrow.parquet as parquet

from .columns import GLANCED, Row, glanced, joined, rows_from, table_from

FANOUT = 16


class Chunk(NamedTuple):
    """What names a chunk of one run."""

    edition: int
    first: int
    last: int
    level: int


class Chunks(Protocol):
    """Where one run's chunks lie."""

    def found(self) -> list[Chunk]:
        """Return all that are there."""

    def open(self, chunk: Chunk) -> Any:
        """Return what pyarrow reads a chunk from."""

    def write(self, chunk: Chunk, data: memoryview) -> None:
        """Write one whole, or not at all."""

    def drop(self, chunks: list[Chunk]) -> None:
        """Remove chunks."""

    def keep(self, chunks: list[Chunk]) -> None:
        """Remove all but these, and what was left of writes that were cut off."""

    def bytes(self) -> int:
        """Return the size of all."""

    def remove(self) -> None:
        """Remove all; afterwards nothing is there."""


class Frames:
    """The frames of one run; nothing is there before the first is written."""

    def __init__(self, chunks: Chunks) -> None:
        self._all = chunks
        self.bytes, self.remove = chunks.bytes, chunks.remove

    def append(self, edition: int, rows: list[Row]) -> None:
        """Write rows that follow those of this edition; those that are there already are left out."""
        if not rows:
            return
        known = self.last_place(edition)
        rows = [row for row in rows if row.place > known]
        if rows:
            self._write(Chunk(edition, rows[0].place, rows[-1].place, 0), table_from(rows))

    def rows(self, edition: int, after: int = -1) -> list[Row]:
        """Return an edition's rows in order; those behind the place `after` alone, of whose chunks no other is read."""
        chunks = [chunk for chunk in self._chunks(edition) if chunk.last > after]
        return [row for chunk in chunks for row in rows_from(self._read(chunk)) if row.place > after]

    def glance(self, edition: int, most: int) -> list[bytes]:
        """Return at most `most` frames, evenly spread, with step, loss and weight gradients alone; reads nothing else."""
        tables = [self._read(chunk, GLANCED) for chunk in self._chunks(edition)]
        return glanced(joined(tables), most) if tables else []

    def last_place(self, edition: int) -> int:
        """Return the place of an edition's last frame, or −1."""
        return max((chunk.last for chunk in self._chunks(edition)), default=-1)

    def merge(self, edition: int, everything: bool = False) -> None:
        """Join small chunks into larger ones; `everything` into one."""
        while len(group := self._mergeable(edition, everything)) > 1:
            level = min(9, max(chunk.level for chunk in group) + 1)
            merged = Chunk(edition, group[0].first, group[-1].last, level)
            self._write(merged, joined([self._read(chunk) for chunk in group]))
            self._all.drop([chunk for chunk in group if chunk != merged])

    def keep_only(self, edition: int) -> None:
        """Remove what was left of other editions, of merged chunks and of writes that were cut off."""
        self._all.keep(self._chunks(edition))

    def _chunks(self, edition: int) -> list[Chunk]:
        """Return an edition's chunks in order, without those whose frames a merged one holds too."""
        chunks: list[Chunk] = []
        for chunk in sorted(self._all.found(), key=lambda one: (one.first, -one.last, -one.level)):
            if chunk.edition == edition and (not chunks or chunk.last > chunks[-1].last):
                chunks.append(chunk)
        return chunks

    def _mergeable(self, edition: int, everything: bool) -> list[Chunk]:
        chunks = self._chunks(edition)
        if everything:
            return chunks
        for level in range(9):
            group = [chunk for chunk in chunks if chunk.level == level]
            if len(group) >= FANOUT:
                return group
        return []

    def _read(self, chunk: Chunk, names: tuple[str, ...] | None = None):
        """Return a chunk as a table; of the columns whose names end in `names` only, if these are given."""
        source, columns = self._all.open(chunk), None
        if names is not None:
            columns = [name for name in parquet.read_schema(source).names if name.endswith(names)]
        return parquet.read_table(source, columns=columns, use_threads=False, memory_map=False)

    def _write(self, chunk: Chunk, table) -> None:
        out = pyarrow.BufferOutputStream()
        parquet.write_table(table, out, compression="zstd", use_dictionary=False, write_statistics=False)
        self._all.write(chunk, memoryview(out.getvalue()))
