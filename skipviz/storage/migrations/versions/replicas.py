"""What servers want done to each other's runs, and the documents of labs."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0003", "0002"
_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "commands",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("run", sa.String, nullable=False),
        sa.Column("asker", _BIG, nullable=False),
        sa.Column("body", sa.String, nullable=False),
        sa.Column("taken", _BIG),
        sa.Column("answer", sa.String),
    )
    op.create_table(
        "labs",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("run", sa.String),
        sa.Column("place", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("touched", sa.Float, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_index("labs_by_owner", "labs", ["owner", "touched"])
