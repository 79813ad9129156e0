"""The documents of labs that the servers of a database share. Only the store writer's process uses it."""

from __future__ import annotations

import time

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from .database import Database
from .notices import notify
from .schema import LABS

DAY = 86_400


class Documents:
    """Reads and writes them for the server with the key `own`; every method may raise `DatabaseProblemError`."""

    database: Database
    """To be set before it is used."""

    def __init__(self, own: int) -> None:
        self._own = own

    @property
    def answers(self) -> dict:
        """What answers which of the server's asks."""
        return {"lab": self._read, "put_lab": self._put, "find_lab": self._find}

    def place(self, head: dict) -> None:
        """Note the address at which a lab stands."""
        with self.database.transaction() as connection:
            connection.execute(LABS.update().where(LABS.c.id == head["id"]).values(place=head["place"]))

    def tidy(self, days: float) -> None:
        """Remove those that nobody has changed for so many days."""
        with self.database.transaction() as connection:
            connection.execute(LABS.delete().where(LABS.c.touched < time.time() - days * DAY))

    def _read(self, head: dict) -> tuple[dict, list[bytes]]:
        """Answer with a lab's row, without its data where that is of the version which the server has; null where there is none."""
        with self.database.reading() as connection:
            version = connection.execute(select(LABS.c.version).where(LABS.c.id == head["id"])).scalar()
            if version is None or version == head["version"]:
                return {"row": None if version is None else {"version": version}}, []
            row = dict(connection.execute(select(LABS).where(LABS.c.id == head["id"])).mappings().one())
        return {"row": row}, [row.pop("data")]

    def _put(self, head: dict) -> tuple[dict, list[bytes]]:
        """Put a document in the place of the version `before` (0: there is none), and answer whether it was that one."""
        row = {**head["row"], "data": head["data"].encode(), "touched": time.time()}
        with self.database.transaction() as connection:
            if head["before"]:
                known = (LABS.c.id == row["id"]) & (LABS.c.version == head["before"])
                change = LABS.update().where(known).values(row)
            else:
                change = insert(LABS).values(row).on_conflict_do_nothing()
            done = connection.execute(change.returning(LABS.c.id)).first() is not None
            if done:
                notify(connection, self._own, labs=[[row["id"], row["version"]]])
        return {"done": done}, []

    def _find(self, head: dict) -> tuple[dict, list[bytes]]:
        """Answer with the id of an owner's newest lab that shows a run, or stands at a place."""
        (name,) = head.keys() & {"run", "place"}
        query = select(LABS.c.id).where(LABS.c.owner == head["owner"], LABS.c[name] == head[name])
        with self.database.reading() as connection:
            return {"id": connection.execute(query.order_by(LABS.c.touched.desc()).limit(1)).scalar()}, []
