"""Jobs, as sweeps are, where several servers share them."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0005", "0004"
_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("asked", sa.String, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("touched", sa.Float, nullable=False),
        sa.Column("server", _BIG, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("said", sa.String, nullable=False),
        sa.Column("stopping", sa.Integer, nullable=False),
        sa.Column("bytes", _BIG, nullable=False),
        sa.Column("spec", sa.LargeBinary, nullable=False),
    )
    op.create_index("jobs_by_owner", "jobs", ["owner", "created"])
    op.create_index("jobs_by_asked", "jobs", ["asked", "created"])
    op.create_table(
        "job_rows",
        sa.Column("job", sa.String, primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
