"""The database: SQLite in one file by default, PostgreSQL by URL; the same tables and the same promises.

What `writing` has committed is on disk, and what `reading` shows is the state of one moment. Neither waits for ever.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.core.errors import UserError
from burnish.core.shelves import need
from burnish.store.faults import StoreUnavailable as StoreUnavailable
from burnish.store.faults import told_plainly
from burnish.store.locks import WAIT_S, locked

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://", "postgresql+psycopg://")
_SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


@dataclass
class Store:
    """One open database."""

    engine: Engine
    lock_file: Path | None = None
    """Locked while something is written, where the database is a file."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_sqlite(self) -> bool:
        return self.lock_file is not None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees the database as it was when it was first asked, and cannot write.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        engine = self.engine if self.is_sqlite else self.engine.execution_options(**_SNAPSHOT)
        with told_plainly(), engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction, alone among those of this database where that is SQLite. When the block ends it is on disk;
        when the block raises, nothing happened. There is none inside another.

        Raises:
            StoreUnavailable: the database does not answer.
            ValueRefused: it cannot hold a value.
        """
        with told_plainly(), self._alone(), self.engine.execution_options(writes=True).begin() as connection:
            yield connection

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self.lock_file is None:
            yield
            return
        if not self._lock.acquire(timeout=WAIT_S):
            raise StoreUnavailable("another write of this process takes too long.")
        try:
            with locked(self.lock_file):
                yield
        finally:
            self._lock.release()

    def take_turns(self, connection: Connection, what: str, *, is_shared: bool = False) -> None:
        """Wait until no other transaction of any process does `what`; those of SQLite are alone anyway. The shared ones
        wait only for those that are not.
        """
        if not self.is_sqlite:
            number = int.from_bytes(
                hashlib.sha256(what.encode("utf-8", "surrogatepass")).digest()[:8], "big", signed=True
            )
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock{'_shared' if is_shared else ''}({number})")

    def settle(self) -> None:
        """Empty SQLite's log into its file, so that what was deleted is in neither."""
        if self.is_sqlite:
            from burnish.store.sqlite import empty_log

            with told_plainly(), self._alone():
                empty_log(self.engine)

    def close(self) -> None:
        """Whoever closes last empties the log, which is a write."""
        with suppress(StoreUnavailable), self._alone():
            self.engine.dispose()
            return
        self.engine.dispose()


def open_store(url: str) -> Store:
    """Open a database, make it if it is new, and bring an older one up to date.

    Args:
        url: `sqlite:////path/file.db`, or `postgresql://user:password@host/database`.

    Raises:
        UserError: the URL is of no known kind, the file is no database, or one of a newer Burnish.
        StoreUnavailable: nothing answers there.
    """
    need("sqlalchemy", "serve")
    store = _connected(url)
    from burnish.store.upgrade import upgrade

    try:
        upgrade(store)
    except BaseException:
        store.close()
        raise
    return store


def _connected(url: str) -> Store:
    if url.startswith(SQLITE):
        from burnish.store.sqlite import lock_of, sqlite_engine

        path = Path(url.removeprefix(SQLITE)).expanduser().absolute()
        return Store(sqlite_engine(path), lock_of(path))
    if url.startswith(POSTGRES):
        from burnish.store.postgres import postgres_engine

        return Store(postgres_engine(url))
    kind = f"{url.split('://')[0]}://…" if "://" in url else "…"  # the rest may hold a password
    raise UserError(
        f"the database '{kind}' is of no kind that the store knows; give sqlite:////path/file.db or "
        "postgresql://user@host/database."
    )


def sqlite_module() -> Any:
    """The driver of SQLite: pysqlite3 where it is installed, else Python's own."""
    from burnish.store.sqlite import sqlite_module as found

    return found()
