"""Small values by name that outlive a process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection


def read_state(connection: Connection, name: str) -> Any:
    """What was put there last; None when nothing was."""
    from sqlalchemy import select

    from burnish.store.tables import states

    return connection.execute(select(states.c.value).where(states.c.name == name)).scalar()


def put_state(connection: Connection, name: str, value: Any) -> None:
    """Keep a value in place of the one before; of two at the same moment the second stays."""
    from burnish.store.rows import insert_into
    from burnish.store.tables import states

    insert = insert_into(connection, states).values(name=name, value=value)
    connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"value": insert.excluded.value}))
