"""The tables through SQLAlchemy: a file of SQLite, or PostgreSQL. Only the store writer's process uses it.

alembic makes an older form into the newest when the database is opened; a newer one is refused.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError

from .schema import ALEMBIC, FRAMES, METADATA, REVISION, RUNS

LISTED = ("id", "owner", "title", "created", "ended", "state", "reason", "restart", "step", "checkpoint", "bytes", "summary")
MIGRATING = 5419352180
"""Key of the advisory lock that one server at a time holds while it brings the tables into form."""
CONNECTING_SECONDS = 2
MIGRATIONS = Path(__file__).parent / "migrations"


class DatabaseProblemError(RuntimeError):
    """The database cannot be used now; one sentence."""


class DatabaseRefusalError(DatabaseProblemError):
    """The database takes everything but what it was just given; one sentence."""


class Database:
    """The tables at a URL of SQLAlchemy's. Every method may raise `DatabaseProblemError`. For one thread.

    In PostgreSQL there is one session at a time, which first takes the advisory lock of `server` where that is given.
    """

    sessions = 0
    """How many there have been."""

    def __init__(self, url: str, busy_seconds: float, server: int | None = None) -> None:
        with _explained():
            self._engine = _engine(url, busy_seconds)
            event.listen(self._engine, "connect", lambda connection, _: self._began(connection, server))
            self._insert = (sqlite if self._engine.name == "sqlite" else postgresql).insert
            self._held: Connection | None = None
            with self.transaction() as connection:
                _migrate(connection)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Do what is done inside wholly or not at all; within another it is a part of that, which alone may be taken back."""
        with _explained():
            if self._held is not None:
                with self._held.begin_nested():
                    yield self._held
                return
            with self._engine.begin() as self._held:
                try:
                    yield self._held
                finally:
                    self._held = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection that changes nothing."""
        with _explained():
            if self._held is not None:
                yield self._held
            else:
                with self._engine.connect() as connection:
                    yield connection

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let what is read inside be as it was at one moment."""
        with _explained(), self._engine.connect().execution_options(isolation_level="REPEATABLE READ") as self._held:
            try:
                yield
            finally:
                self._held = None

    def write(self, rows: Iterable[dict]) -> None:
        """Insert or change rows of runs, all or none; a row that is there keeps the columns that are not given."""
        with self.transaction() as connection:
            for row in map(_plain, rows):
                known = {name: value for name, value in row.items() if name != "id"}
                if {column.name for column in RUNS.columns if not column.nullable and column.default is None} <= set(row):
                    change = self._insert(RUNS).values(row).on_conflict_do_update(index_elements=["id"], set_=known)
                else:
                    change = RUNS.update().where(RUNS.c.id == row["id"]).values(known)
                connection.execute(change)

    def row(self, run_id: str) -> dict | None:
        """Return all of one run's columns."""
        with self.reading() as connection:
            found = connection.execute(select(RUNS).where(RUNS.c.id == run_id)).mappings().first()
        return None if found is None else dict(found)

    def owned_by(self, owner: str, most: int) -> list[dict]:
        """Return what a list shows of an owner's runs, newest first."""
        columns = [RUNS.c[name] for name in LISTED]
        query = select(*columns).where(RUNS.c.owner == owner).order_by(RUNS.c.created.desc()).limit(most)
        with self.reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def with_states(self, states: Iterable[str]) -> list[dict]:
        """Return what a list shows of every run in one of `states`, oldest first."""
        columns = [RUNS.c[name] for name in LISTED]
        query = select(*columns).where(RUNS.c.state.in_(list(states))).order_by(RUNS.c.created)
        with self.reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def ended(self) -> list[tuple[str, float, int]]:
        """Return id, end and bytes of every run that has ended for good, the one that ended first first."""
        done = RUNS.c.ended.is_not(None) & (RUNS.c.restart == 0)
        query = select(RUNS.c.id, RUNS.c.ended, RUNS.c.bytes).where(done).order_by(RUNS.c.ended)
        with self.reading() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def bytes(self) -> int:
        """Return the size of all runs together."""
        with self.reading() as connection:
            return int(connection.execute(select(func.sum(RUNS.c.bytes))).scalar() or 0)

    def ids(self) -> set[str]:
        """Return the ids of all runs."""
        with self.reading() as connection:
            return set(connection.execute(select(RUNS.c.id)).scalars())

    def remove(self, run_ids: Iterable[str]) -> list[str]:
        """Remove ended runs and their frames, and return which were there."""
        ended = RUNS.c.id.in_(list(run_ids)) & RUNS.c.ended.is_not(None)
        with self.transaction() as connection:
            gone = list(connection.execute(RUNS.delete().where(ended).returning(RUNS.c.id)).scalars())
            connection.execute(FRAMES.delete().where(FRAMES.c.run.in_(gone)))
        return gone

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _began(self, connection, server: int | None) -> None:
        self.sessions += 1
        if server is not None:
            _lock(connection, server)


def sqlite_url(file: Path) -> str:
    """Return the URL of a file of SQLite."""
    return f"sqlite:///{file}"


def psycopg_url(url: str) -> str:
    """Return a URL of PostgreSQL as psycopg itself takes it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _engine(url: str, busy_seconds: float) -> Engine:
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": busy_seconds})
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        return engine
    try:
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
        return create_engine(url, connect_args={"connect_timeout": CONNECTING_SECONDS}, pool_size=1, max_overflow=0)
    except ImportError:
        raise DatabaseProblemError('psycopg is missing: pip install "psycopg[binary]"') from None
    except ArgumentError:
        raise DatabaseProblemError("SKIPVIZ_DATABASE_URL is no URL of a database") from None


def _prepare(connection, _) -> None:
    """Set a new connection up: readers never wait for the writer, and a killed process leaves the file whole.

    What a transaction holds, the form of tables too, is said by SQLAlchemy alone: the driver's own habits would cut it.
    """
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _lock(connection, server: int) -> None:
    """Take a server's own lock for a new session, and end an earlier one that still has it, as of a machine that was cut off."""
    from psycopg import OperationalError

    mine = f"skipviz {server}"
    connection.execute("SELECT set_config('application_name', %s, false)", [mine])
    (taken,) = connection.execute("SELECT pg_try_advisory_lock(%s)", [server]).fetchone()
    if not taken:
        earlier = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s AND pid <> pg_backend_pid()"
        connection.execute(earlier, [mine])
    connection.commit()
    if not taken:
        raise OperationalError("an earlier connection of this server is not closed yet")


def _migrate(connection: Connection) -> None:
    """Bring the tables into the newest form: one step of alembic's after the other, or at once where there are none yet."""
    in_file = connection.dialect.name == "sqlite"
    if not in_file:
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
    revision = _revision(connection, in_file)
    if revision == REVISION:
        return
    if revision is not None and revision > REVISION:
        raise DatabaseProblemError(f"the {'folder' if in_file else 'database'} was written by a newer skipviz")
    if revision is None:
        METADATA.create_all(connection)
        connection.execute(ALEMBIC.insert().values(version_num=REVISION))
    else:
        _upgrade(connection, revision)
    if in_file:
        connection.exec_driver_sql(f"PRAGMA user_version={int(REVISION)}")


def _revision(connection: Connection, in_file: bool) -> str | None:
    """Return alembic's name of the form that the tables have, or None where there are none; a file may be older than alembic."""
    tables = inspect(connection)
    if tables.has_table("alembic_version"):
        return connection.execute(select(ALEMBIC.c.version_num)).scalar()
    version = connection.exec_driver_sql("PRAGMA user_version").scalar() if in_file else 0
    return f"{max(version, 1):04d}" if version or tables.has_table("runs") else None


def _upgrade(connection: Connection, revision: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS))
    if not inspect(connection).has_table("alembic_version"):
        command.stamp(config, revision)
    command.upgrade(config, "head")


def _plain(row: dict) -> dict:
    """Return a row without the one character that PostgreSQL takes in no text."""
    return {name: value.replace("\0", "\ufffd") if isinstance(value, str) else value for name, value in row.items()}


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what the database raises into one sentence."""
    try:
        yield
    except DBAPIError as error:
        kind = DatabaseRefusalError if isinstance(error, DataError | IntegrityError) else DatabaseProblemError
        raise kind(_sentence(error)) from error


def _sentence(error: DBAPIError) -> str:
    problem, state = str(error.orig), getattr(error.orig, "sqlstate", None)
    if "locked" in problem or "busy" in problem:
        return "the database is locked by another program"
    if state == "53100" or "is full" in problem or "disk I/O error" in problem:
        return "the disk is full"
    if error.connection_invalidated or (state is None and "connection" in problem):
        return "the database cannot be reached"
    return f"the database cannot be written ({' '.join(problem.split())[:100]})"


def sentence_of(problem: Exception) -> str:
    """Return one sentence on why nothing can be written: the database's own, or what a disk says."""
    if not isinstance(problem, OSError):
        return str(problem)
    if problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "the disk is full"
    return f"the folder cannot be written ({problem.strerror or problem})"


def written(facts: dict) -> str:
    """Return facts as a column's text."""
    return json.dumps(facts, separators=(",", ":"))
