"""The table of runs, as the first servers kept it in SQLite."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("ended", sa.Float),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.String),
        sa.Column("restart", sa.Integer, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("checkpoint", sa.Integer),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("bytes", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("summary", sa.String, nullable=False),
        sa.Column("facts", sa.String, nullable=False),
        sa.Column("experiment", sa.LargeBinary, nullable=False),
        sa.Column("header", sa.LargeBinary),
    )
    op.create_index("runs_by_owner", "runs", ["owner", "created"])
    op.create_index("runs_by_end", "runs", ["ended"])
