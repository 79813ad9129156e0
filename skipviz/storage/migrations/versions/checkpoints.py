"""Which file a checkpoint is: the worker's that wrote it, and no other's of the same step."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0004", "0003"


def upgrade() -> None:
    op.add_column("runs", sa.Column("checkpoint_file", sa.String))
    digits = "CAST(checkpoint AS VARCHAR)"
    name = f"'checkpoint-' || SUBSTR('000000000', 1, 9 - LENGTH({digits})) || {digits} || '.npz'"
    op.execute(f"UPDATE runs SET checkpoint_file = {name} WHERE checkpoint IS NOT NULL")
