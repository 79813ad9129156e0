"""The tables, in SQLite and in PostgreSQL alike. A change of them is a file in `migrations/versions`, and raises `REVISION`.

What is searched by has a column; what only makes a run whole again is JSON in `facts`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, String, Table

REVISION = "0005"
"""Alembic's name of the newest form; a number, which SQLite has as `user_version` too."""

METADATA = MetaData()
_BIG = BigInteger().with_variant(Integer, "sqlite")

ALEMBIC = Table("alembic_version", METADATA, Column("version_num", String(32), primary_key=True))
RUNS = Table(
    "runs",
    METADATA,
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
    Column("checkpoint_file", String),
    Column("edition", Integer, nullable=False, default=0),
    Column("bytes", _BIG, nullable=False, default=0),
    Column("summary", String, nullable=False),
    Column("facts", String, nullable=False),
    Column("experiment", LargeBinary, nullable=False),
    Column("header", LargeBinary),
    Column("server", _BIG),
    Index("runs_by_owner", "owner", "created"),
    Index("runs_by_end", "ended"),
    Index("runs_by_state", "state"),
)
FRAMES = Table(
    "frames",
    METADATA,
    Column("run", String, primary_key=True),
    Column("edition", Integer, primary_key=True),
    Column("first", Integer, primary_key=True),
    Column("last", Integer, primary_key=True),
    Column("level", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)
"""Chunks of runs' frames in Parquet, as `chunks` has them, where they are no files."""
COMMANDS = Table(
    "commands",
    METADATA,
    Column("id", String, primary_key=True),
    Column("run", String, nullable=False),
    Column("asker", _BIG, nullable=False),
    Column("body", String, nullable=False),
    Column("taken", _BIG),
    Column("answer", String),
)
"""What one server wants done to another's run: whose run it is takes it and answers, whoever asked removes it."""
LABS = Table(
    "labs",
    METADATA,
    Column("id", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("run", String),
    Column("place", String, nullable=False, default=""),
    Column("version", Integer, nullable=False),
    Column("touched", Float, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("labs_by_owner", "owner", "touched"),
)
"""Lab documents where several servers share them."""
JOBS = Table(
    "jobs",
    METADATA,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("asked", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("touched", Float, nullable=False),
    Column("server", _BIG, nullable=False),
    Column("state", String, nullable=False),
    Column("said", String, nullable=False),
    Column("stopping", Integer, nullable=False, default=0),
    Column("bytes", _BIG, nullable=False, default=0),
    Column("spec", LargeBinary, nullable=False),
    Index("jobs_by_owner", "owner", "created"),
    Index("jobs_by_asked", "asked", "created"),
)
"""Jobs where several servers share them; `said` has as JSON what a page is told besides the state, `asked` what was asked for."""
JOB_ROWS = Table(
    "job_rows",
    METADATA,
    Column("job", String, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)
