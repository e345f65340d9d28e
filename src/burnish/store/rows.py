"""Reading and writing records as rows."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select, Table

ROWS_AT_ONCE = 500


def insert_new(connection: Connection, table: Table, records: Sequence[Any]) -> None:
    """Insert records whose primary key is not there yet; the others were written before and stay as they are."""
    names = [field.name for field in fields(records[0])] if records else []
    for start in range(0, len(records), ROWS_AT_ONCE):
        some = records[start : start + ROWS_AT_ONCE]
        values = [{name: getattr(record, name) for name in names} for record in some]  # `asdict` copies what is inside
        connection.execute(insert_into(connection.dialect.name, table).on_conflict_do_nothing(), values)


def streamed(connection: Connection, query: Select[Any]) -> Generator[Any, None, None]:
    """The rows of a query, fetched as they are taken."""
    with connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query) as result:
        yield from result


def insert_into(dialect: str, table: Table) -> Any:
    """An INSERT of a dialect, which can say what to do where the key is there already."""
    from sqlalchemy.dialects import postgresql, sqlite

    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table)
