"""Bringing a database up to the tables of this Burnish, by Alembic's migrations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from burnish.core.errors import UserError
from burnish.store.store import Store

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

FOLDER = Path(__file__).parent / "migrations"


def upgrade(store: Store) -> None:
    """Run what migrations are missing, all of them in one transaction.

    Raises:
        UserError: the database was made by a newer Burnish.
    """
    with store.reading() as connection:
        if _revision(connection, store) == _newest():
            return
    with store.writing() as connection:
        store.take_turns(connection, "upgrade")
        if _revision(connection, store) == _newest():
            return
        _run(connection)


def _revision(connection: Connection, store: Store) -> str | None:
    from alembic.runtime.migration import MigrationContext

    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in _known():
        raise UserError(
            f"the database {store.engine.url.render_as_string()} is of a newer Burnish (its tables are of '{found}'); "
            "run that Burnish, or give another database."
        )
    return found


def _run(connection: Connection) -> None:
    from alembic import command

    configuration = _configuration()
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "head")


def _configuration() -> Config:
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(FOLDER))
    return configuration


def _known() -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(_configuration()).walk_revisions()}


def _newest() -> str | None:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_configuration()).get_current_head()
