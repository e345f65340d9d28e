"""Reading and writing records as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

ROWS_AT_ONCE = 500


def insert_new(connection: Connection, table: Table, records: Sequence[Any]) -> None:
    """Insert records whose primary key is not there yet; the others were written before and stay as they are."""
    from sqlalchemy.dialects import postgresql, sqlite

    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    for start in range(0, len(records), ROWS_AT_ONCE):
        values = [asdict(record) for record in records[start : start + ROWS_AT_ONCE]]
        connection.execute(insert(table).on_conflict_do_nothing(), values)
