"""Several servers on one database: whose a run is, and frames that every server reads."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"
_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("runs", sa.Column("server", _BIG))
    op.create_index("runs_by_state", "runs", ["state"])
    op.create_table(
        "frames",
        sa.Column("run", sa.String, primary_key=True),
        *(sa.Column(name, sa.Integer, primary_key=True) for name in ("edition", "first", "last", "level")),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
