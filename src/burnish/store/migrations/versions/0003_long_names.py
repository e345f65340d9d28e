"""What is put together of names, and who did something, may be long: PostgreSQL refused it above a length."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

UNBOUNDED = {
    "releases": ("task", "by"),
    "aliases": ("by",),
    "alerts": ("watch", "by"),
    "jobs": ("worker",),
    "states": ("name",),
}


def upgrade() -> None:
    for table, columns in UNBOUNDED.items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.alter_column(column, type_=sa.Text(), existing_nullable=False)
