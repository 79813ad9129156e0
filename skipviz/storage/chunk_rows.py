"""One run's chunks of frames as rows of a table, which every server of a database reads."""

from __future__ import annotations

import pyarrow
from sqlalchemy import func, select, tuple_

from .chunks import Chunk
from .database import Database
from .schema import FRAMES

_NAMED = [FRAMES.c[name] for name in Chunk._fields]


class ChunkRows:
    """The chunks of one run in a database's table; every method may raise `DatabaseProblemError`."""

    def __init__(self, database: Database, run_id: str) -> None:
        self._database, self._run = database, run_id
        self._own = FRAMES.c.run == run_id

    def found(self) -> list[Chunk]:
        with self._database.reading() as connection:
            return [Chunk(*row) for row in connection.execute(select(*_NAMED).where(self._own))]

    def open(self, chunk: Chunk) -> pyarrow.BufferReader:
        query = select(FRAMES.c.data).where(self._own, tuple_(*_NAMED) == chunk)
        with self._database.reading() as connection:
            return pyarrow.BufferReader(connection.execute(query).scalar_one())

    def write(self, chunk: Chunk, data: memoryview) -> None:
        with self._database.transaction() as connection:
            connection.execute(FRAMES.insert().values(run=self._run, **chunk._asdict(), data=bytes(data)))

    def drop(self, chunks: list[Chunk]) -> None:
        with self._database.transaction() as connection:
            connection.execute(FRAMES.delete().where(self._own, tuple_(*_NAMED).in_(chunks)))

    def keep(self, chunks: list[Chunk]) -> None:
        if gone := set(self.found()) - set(chunks):
            self.drop(list(gone))

    def bytes(self) -> int:
        with self._database.reading() as connection:
            return connection.execute(select(func.sum(func.length(FRAMES.c.data))).where(self._own)).scalar() or 0

    def remove(self) -> None:
        with self._database.transaction() as connection:
            connection.execute(FRAMES.delete().where(self._own))
