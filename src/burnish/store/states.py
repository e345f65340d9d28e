"""Small values by name that outlive a process."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection


def read_state(connection: Connection, name: str) -> Any:
    """What was put there last; None when nothing was."""
    return connection.execute(_reading(), {"asked": name}).scalar()


def put_state(connection: Connection, name: str, value: Any) -> None:
    """Keep a value in place of the one before; of two at the same moment the second stays."""
    connection.execute(_writing(connection.dialect.name), {"name": name, "value": value})


@cache  # to build a statement takes longer than to run it
def _reading() -> Any:
    from sqlalchemy import bindparam, select

    from burnish.store.tables import states

    return select(states.c.value).where(states.c.name == bindparam("asked"))


@cache
def _writing(dialect: str) -> Any:
    from burnish.store.rows import insert_into
    from burnish.store.tables import states

    insert = insert_into(dialect, states)
    return insert.on_conflict_do_update(index_elements=["name"], set_={"value": insert.excluded.value})
