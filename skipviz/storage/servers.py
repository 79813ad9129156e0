"""Which of a database's servers live, and whose runs are whose. Only the store writer's process uses it.

A server lives as long as its session holds the advisory lock of its key: no clock decides, since clocks jump. Its runs carry its
key, and nobody else writes them; what a dead one left is claimed by one other server, in one transaction.
"""

from __future__ import annotations

import time
from collections.abc import Container, Iterable

from sqlalchemy import Boolean, func, literal_column, select

from .database import Database
from .run import ENDED, STATES
from .schema import RUNS

LOOK_SECONDS = 0.5
"""Between two looks at the others."""
GRACE = 2.5
"""Seconds for which a lock was free at every look before its server counts as dead: more than a store writer takes to begin again
after it was killed, or to come back to a database that was away."""


def is_free(column: str):
    """Return the condition that nobody holds the lock of the server whose key stands in a column, as `runs.server`."""
    held = (
        "EXISTS (SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
        " WHERE datname = current_database() AND locktype = 'advisory' AND granted AND objsubid = 1"
        f" AND (classid::bigint << 32) | objid::bigint = {column})"
    )
    return ~literal_column(held, Boolean)


_FREE = is_free("runs.server")
_LIVE = RUNS.c.state.in_([state for state in STATES if state not in ENDED])
_GOES_ON = _LIVE | ((RUNS.c.state == "interrupted") & (RUNS.c.restart == 1))


class Servers:
    """The servers of a database as the one with the key `own` sees them. Every method may raise `DatabaseProblemError`."""

    def __init__(self, database: Database, own: int) -> None:
        self._database, self._own = database, own
        self._free_since: dict[int, float] = {}
        self._looked, self._sessions = time.monotonic(), database.sessions

    def dead(self, left: Container[int] = ()) -> list[int]:
        """Return the keys of dead servers that left runs which are to go on; those in `left` said so themselves."""
        query = select(RUNS.c.server).where(_GOES_ON, RUNS.c.server != self._own, _FREE).distinct()
        with self._database.reading() as connection:
            free = list(connection.execute(query).scalars())
        now = time.monotonic()
        if self._sessions != self._database.sessions or now - self._looked > GRACE:
            self._free_since.clear()  # away itself: the others come back too
        self._looked, self._sessions = now, self._database.sessions
        self._free_since = {key: self._free_since.get(key, now) for key in free}
        return [key for key, since in self._free_since.items() if now - since >= GRACE or key in left]

    def left_by(self, key: int) -> list[dict]:
        """Return, within a transaction, the rows of the runs that a dead server left, which no other claims until its end."""
        with self._database.transaction() as connection:
            if not connection.execute(select(func.pg_try_advisory_xact_lock(key))).scalar():
                return []
            query = select(RUNS).where(_GOES_ON, RUNS.c.server == key).order_by(RUNS.c.id).with_for_update()
            return [dict(row) for row in connection.execute(query).mappings()]

    def others(self, run_ids: Iterable[str]) -> set[str]:
        """Return, within a transaction, which of these are another server's; the rest stay this one's until its end."""
        columns = RUNS.c.id, RUNS.c.server
        query = select(*columns).where(RUNS.c.id.in_(list(run_ids))).order_by(RUNS.c.id).with_for_update()
        with self._database.transaction() as connection:
            return {run_id for run_id, server in connection.execute(query) if server not in (None, self._own)}

    def claim(self, run_id: str) -> dict | None:
        """Make an ended run this server's own and return its row; None where it goes on at another, or is not kept."""
        with self._database.transaction() as connection:
            theirs = (RUNS.c.server == self._own) | RUNS.c.server.is_(None) | ~_LIVE
            change = RUNS.update().where(RUNS.c.id == run_id, theirs).values(server=self._own)
            return self._database.row(run_id) if connection.execute(change).rowcount else None
