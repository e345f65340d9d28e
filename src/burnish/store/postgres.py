"""PostgreSQL, with a limit on how long anything may take: where the server is frozen no limit of its own helps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from burnish.core.errors import UserError
from burnish.core.shelves import need
from burnish.store.locks import WAIT_S

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

CONNECT_S = 3
LONG_S = 3600.0
"""For what may take long: a migration of many rows."""


def postgres_engine(url: str) -> Engine:
    """An engine that has not asked the server anything yet.

    Raises:
        UserError: the URL cannot be read.
    """
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import ArgumentError

    need("psycopg", "postgres")
    limit_ms = int(WAIT_S * 1000)
    alive = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 2, "tcp_user_timeout": 8000}
    options = f"-c statement_timeout={limit_ms} -c synchronous_commit=on"
    asked = {"connect_timeout": CONNECT_S, "options": options, **alive}
    where = "postgresql+psycopg://" + url.split("://", 1)[1]
    try:
        engine = create_engine(
            where, pool_timeout=WAIT_S, pool_size=4, isolation_level="READ COMMITTED", connect_args=asked
        )
    except (ArgumentError, ValueError):
        raise UserError(
            "the URL of the database cannot be read; give postgresql://user:password@host:port/database, with % codes "
            "for what is no letter or digit in user and password."
        ) from None
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "checkout", _refuse_dead)
    return engine


def _connect(dialect: Any, record: Any, arguments: Any, settings: Any) -> Any:
    from burnish.store.patience import PatientConnection

    return PatientConnection.connect(*arguments, **settings)


def _refuse_dead(connection: Any, record: Any, proxy: Any) -> None:
    """A connection whose server went away, or that does not answer soon, is replaced by a new one."""
    from sqlalchemy.exc import DisconnectionError

    if not connection.is_alive():
        raise DisconnectionError("the server went away")


@contextmanager
def unhurried(connection: Connection) -> Iterator[None]:
    """Let the statements of a transaction take as long as they need."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        yield
        return
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    usual, driver.patience_s = driver.patience_s, LONG_S
    try:
        yield
    finally:
        driver.patience_s = usual
