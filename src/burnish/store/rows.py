"""Reading and writing records as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Select, Table

ROWS_AT_ONCE = 500


def insert_new(connection: Connection, table: Table, records: Sequence[Any]) -> None:
    """Insert records whose primary key is not there yet; the others were written before and stay as they are."""
    for start in range(0, len(records), ROWS_AT_ONCE):
        values = [asdict(record) for record in records[start : start + ROWS_AT_ONCE]]
        connection.execute(insert_into(connection, table).on_conflict_do_nothing(), values)


def streamed(connection: Connection, query: Select[Any]) -> Iterator[Row[Any]]:
    """The rows of a query, fetched as they are taken."""
    with connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query) as result:
        yield from result


def insert_into(connection: Connection, table: Table) -> Any:
    """An INSERT in the dialect of the database, which can say what to do where the key is there already."""
    from sqlalchemy.dialects import postgresql, sqlite

    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    return insert(table)
