"""Bringing a database up to the tables of this Burnish, by Alembic's migrations.

Alembic itself is loaded where there is something to do: a server would keep 11 MB of it for nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from burnish.core.errors import UserError, listed
from burnish.store.faults import first_line
from burnish.store.store import Store

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

FOLDER = Path(__file__).parent / "migrations"


def upgrade(store: Store) -> None:
    """Run what migrations are missing, all of them in one transaction: a crash leaves the tables as they were.

    Raises:
        UserError: the database was made by a newer Burnish or by another program, or does not let tables be made.
    """
    from sqlalchemy.exc import ProgrammingError

    from burnish.store.postgres import unhurried

    known = revisions()
    with store.reading() as connection:
        if _revision(connection, store, known) == known[-1]:
            return
    try:
        with store.writing() as connection, unhurried(connection):
            store.take_turns(connection, "upgrade")
            if (found := _revision(connection, store, known)) == known[-1]:
                return
            if found is None:
                _refuse_foreign(connection, store)
            _run(connection)
    except ProgrammingError as error:
        raise UserError(
            f"the database {_named(store)} does not let its tables be made ({first_line(error)})."
        ) from error


def revisions() -> list[str]:
    """All that there are, oldest first: each migration's file begins with its own."""
    return sorted(file.name.split("_")[0] for file in (FOLDER / "versions").glob("[0-9]*_*.py"))


def _revision(connection: Connection, store: Store, known: list[str]) -> str | None:
    """What Alembic noted when it last upgraded this database; None where it never did."""
    from sqlalchemy import inspect, text

    noted = inspect(connection).has_table("alembic_version")
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version")) if noted else None
    if found is not None and found not in known:
        raise UserError(
            f"the database {_named(store)} is of a newer Burnish (its tables are of '{found}'); "
            "run that Burnish, or give another database."
        )
    return found


def _refuse_foreign(connection: Connection, store: Store) -> None:
    """Tables without a revision are another program's."""
    from sqlalchemy import inspect

    from burnish.store.tables import metadata

    if taken := sorted(metadata.tables.keys() & set(inspect(connection).get_table_names())):
        raise UserError(
            f"the database {_named(store)} holds tables of another program ({listed(taken)}); give one of its own."
        )


def _run(connection: Connection) -> None:
    from alembic import command

    configuration = _configuration()
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "head")


def _named(store: Store) -> str:
    return store.engine.url.render_as_string(hide_password=True)


def _configuration() -> Config:
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return configuration
