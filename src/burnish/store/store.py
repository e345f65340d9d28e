"""The database: SQLite in one file by default, PostgreSQL by URL; the same tables and the same promises.

What `writing` has committed is on disk: SQLite runs with a write-ahead log and `synchronous=FULL`. SQLite before 3.51.3
may corrupt that log when two connections write or checkpoint at the same moment (https://sqlite.org/wal.html, "The
WAL-Reset Bug"), so every write of every process first takes a lock on a file beside the database. That also makes
writers wait in line, where SQLite would have them poll.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from burnish.core.errors import BurnishError, UserError
from burnish.core.shelves import need

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

WAIT_S = 10
"""How long a statement waits for a lock or a connection before it gives up."""
SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://", "postgresql+psycopg://")


class StoreUnavailable(BurnishError):
    """The database does not answer now; what was asked of it did not happen."""

    exit_code = 2


@dataclass
class Store:
    """One open database."""

    engine: Engine
    lock_file: Path | None = None
    """Locked while something is written, where the database is a file."""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def is_sqlite(self) -> bool:
        return self.lock_file is not None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reading.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        with _as_unavailable(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction, alone among those of this database where that is SQLite. When the block ends it is on disk;
        when the block raises, nothing happened.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        with _as_unavailable(), self._alone(), self.engine.execution_options(writes=True).begin() as connection:
            yield connection

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self.lock_file is None:
            yield
            return
        with self._lock, locked(self.lock_file):
            yield

    def take_turns(self, connection: Connection, what: str) -> None:
        """Wait until no other transaction of any process does `what`; those of SQLite are alone anyway."""
        if not self.is_sqlite:
            number = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], "big", signed=True)
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({number})")

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def locked(path: Path) -> Iterator[IO[bytes]]:
    """Hold the lock of a file; another process waits for it."""
    with open(path, "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield file
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def _as_unavailable() -> Iterator[None]:
    from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
    from sqlalchemy.exc import TimeoutError as PoolTimeout

    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise StoreUnavailable(f"the database does not answer ({_first_line(error)}).") from error
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        raise StoreUnavailable(f"the database does not answer ({_first_line(error)}).") from error


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().split("\n")[0][:200]


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
        return _sqlite(Path(url.removeprefix(SQLITE)))
    if url.startswith(POSTGRES):
        return Store(_postgres("postgresql+psycopg://" + url.split("://", 1)[1]))
    raise UserError(
        f"the database '{url.split('://')[0]}://…' is of no kind that the store knows; give sqlite:////path/file.db or "
        "postgresql://user@host/database."
    )


def _sqlite(path: Path) -> Store:
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import QueuePool

    if path.is_dir():
        raise UserError(f"{path}: is a folder; a database is a file: give sqlite:///{path}/burnish.db.")
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # its owner's alone
    if path.stat().st_size and path.open("rb").read(15) != b"SQLite format 3":
        raise UserError(f"{path}: is no SQLite database; give the path of one, or of a file that does not exist yet.")
    engine = create_engine(
        f"{SQLITE}{path}", module=sqlite_module(), poolclass=QueuePool, connect_args={"timeout": WAIT_S}
    )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return Store(engine, path.with_name(f".{path.name}.lock"))


def sqlite_module() -> Any:
    """pysqlite3, which brings a SQLite without the fault told above, where it is installed; else Python's own."""
    try:
        from pysqlite3 import dbapi2

        return dbapi2
    except ImportError:
        import sqlite3

        return sqlite3


def _set_up(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin`: the driver's own way begins too late
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "mmap_size=0"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _postgres(url: str) -> Engine:
    from sqlalchemy import create_engine

    need("psycopg", "postgres")
    alive = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 2, "tcp_user_timeout": 8000}
    asked = {"connect_timeout": 3, "options": f"-c statement_timeout={WAIT_S * 1000}", **alive}
    return create_engine(url, pool_pre_ping=True, pool_timeout=WAIT_S, pool_size=4, connect_args=asked)
