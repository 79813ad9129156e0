"""The table of runs, in SQLite through SQLAlchemy. Only the store writer's process uses it.

What is searched by has a column; what only makes a run whole again is JSON in `facts`. `user_version` of the file says
which form the table has; an older file is migrated when it is opened.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, create_engine, event, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError, OperationalError

VERSION = 1
"""Of the table's form. A change of form raises it and appends to `MIGRATIONS` what makes the one before into it."""
MIGRATIONS: tuple[tuple[str, ...], ...] = ()
"""SQL statements by version: those at 0 lead from 1 to 2."""

_METADATA = MetaData()
RUNS = Table(
    "runs",
    _METADATA,
    Column("id", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("title", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("ended", Float),
    Column("state", String, nullable=False),
    Column("reason", String),
    Column("restart", Integer, nullable=False, default=0),
    Column("step", Integer, nullable=False, default=0),
    Column("checkpoint", Integer),
    Column("edition", Integer, nullable=False, default=0),
    Column("bytes", Integer, nullable=False, default=0),
    Column("summary", String, nullable=False),
    Column("facts", String, nullable=False),
    Column("experiment", LargeBinary, nullable=False),
    Column("header", LargeBinary),
    Index("runs_by_owner", "owner", "created"),
    Index("runs_by_end", "ended"),
)
LISTED = ("id", "owner", "title", "created", "ended", "state", "reason", "restart", "step", "checkpoint", "bytes", "summary")


class DatabaseProblemError(RuntimeError):
    """The table cannot be used now; one sentence."""


class Database:
    """The table of runs in one file. Every method may raise `DatabaseProblemError`."""

    def __init__(self, path: Path, busy_seconds: float) -> None:
        self._engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": busy_seconds})
        event.listen(self._engine, "connect", _prepare)
        with _explained():
            _migrate(self._engine)

    def write(self, rows: Iterable[dict]) -> None:
        """Insert or change rows, all or none; a row that is there keeps the columns that are not given."""
        with _explained(), self._engine.begin() as connection:
            for row in rows:
                known = {name: value for name, value in row.items() if name != "id"}
                if {column.name for column in RUNS.columns if not column.nullable and column.default is None} <= set(row):
                    change = insert(RUNS).values(row).on_conflict_do_update(index_elements=["id"], set_=known)
                else:
                    change = RUNS.update().where(RUNS.c.id == row["id"]).values(known)
                connection.execute(change)

    def row(self, run_id: str) -> dict | None:
        """Return all of one run's columns."""
        with _explained(), self._engine.connect() as connection:
            found = connection.execute(select(RUNS).where(RUNS.c.id == run_id)).mappings().first()
        return None if found is None else dict(found)

    def owned_by(self, owner: str, most: int) -> list[dict]:
        """Return what a list shows of an owner's runs, newest first."""
        columns = [RUNS.c[name] for name in LISTED]
        query = select(*columns).where(RUNS.c.owner == owner).order_by(RUNS.c.created.desc()).limit(most)
        with _explained(), self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def with_states(self, states: Iterable[str]) -> list[dict]:
        """Return what a list shows of every run in one of `states`, oldest first."""
        columns = [RUNS.c[name] for name in LISTED]
        query = select(*columns).where(RUNS.c.state.in_(list(states))).order_by(RUNS.c.created)
        with _explained(), self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def ended(self) -> list[tuple[str, float, int]]:
        """Return id, end and bytes of every run that has ended for good, the one that ended first first."""
        done = RUNS.c.ended.is_not(None) & (RUNS.c.restart == 0)
        query = select(RUNS.c.id, RUNS.c.ended, RUNS.c.bytes).where(done).order_by(RUNS.c.ended)
        with _explained(), self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def bytes(self) -> int:
        """Return the size of all runs together."""
        with _explained(), self._engine.connect() as connection:
            return connection.execute(select(func.sum(RUNS.c.bytes))).scalar() or 0

    def ids(self) -> set[str]:
        """Return the ids of all runs."""
        with _explained(), self._engine.connect() as connection:
            return set(connection.execute(select(RUNS.c.id)).scalars())

    def remove(self, run_ids: Iterable[str]) -> None:
        """Remove rows; one that is not there is no problem."""
        with _explained(), self._engine.begin() as connection:
            connection.execute(RUNS.delete().where(RUNS.c.id.in_(list(run_ids))))

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()


def _prepare(connection, _) -> None:
    """Set a new connection up: readers never wait for the writer, and a killed process leaves the file whole."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _migrate(engine) -> None:
    with engine.begin() as connection:
        version = connection.exec_driver_sql("PRAGMA user_version").scalar()
        if version > VERSION:
            raise DatabaseProblemError("the folder was written by a newer skipviz")
        if version == 0:
            _METADATA.create_all(connection)
        for statements in MIGRATIONS[version - 1 if version else VERSION :]:
            for statement in statements:
                connection.exec_driver_sql(statement)
        if version != VERSION:
            connection.exec_driver_sql(f"PRAGMA user_version={VERSION}")


class _explained:  # noqa: N801
    """Turns what the database raises into one sentence."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind, error, trace) -> None:
        if isinstance(error, OperationalError | DatabaseError):
            raise DatabaseProblemError(_sentence(str(error.orig))) from error


def _sentence(problem: str) -> str:
    if "locked" in problem or "busy" in problem:
        return "the database is locked by another program"
    if "full" in problem or "disk I/O error" in problem:
        return "the disk is full"
    return f"the database cannot be written ({problem[:100]})"


def written(facts: dict) -> str:
    """Return facts as a column's text."""
    return json.dumps(facts, separators=(",", ":"))
