"""What was erased stays erased; a key's predictions of a day are counted without reading all of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "value"),
    )
    op.drop_index(op.f("ix_predictions_key"), table_name="predictions")
    op.create_index(op.f("ix_predictions_key_at"), "predictions", ["key", "at"], unique=False)
