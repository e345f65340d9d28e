"""SQLite: one file with a write-ahead log, `synchronous=FULL`, one writer at a time.

SQLite from 3.7.0 to 3.51.2 may corrupt its log when two connections write or checkpoint at the same moment
(https://sqlite.org/wal.html, "The WAL-Reset Bug"), so every write of every process first takes a lock on a file beside
the database. That also makes writers wait in line, where SQLite would have them poll, and gives up on one that hangs.

Never open the database file itself in a process that has a connection to it: closing it again drops the locks of that
connection (https://sqlite.org/howtocorrupt.html, section 2.2), after which another process may delete its log.
"""

from __future__ import annotations

import os
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.core.errors import BurnishError, UserError
from burnish.core.files import disk_faults
from burnish.store.faults import told_plainly
from burnish.store.locks import WAIT_S, locked

if TYPE_CHECKING:
    from sqlalchemy import Engine

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "mmap_size=0")
SOUND = ((3, 51, 3), (3, 50, 7), (3, 44, 6))
"""Versions from which on the fault is gone: the first, and two older lines that it was mended in."""
READERS_WAIT_MS = 1000
LEAST_BYTES = 512
"""Of a database with anything in it: its smallest page."""


def lock_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def sqlite_engine(path: Path) -> Engine:
    """An engine for the file, which is made if it is not there.

    Raises:
        UserError: it is no database, or cannot be made.
        StoreUnavailable: it cannot be opened.
    """
    from sqlalchemy import URL, create_engine, event
    from sqlalchemy.pool import QueuePool

    _make(path)
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, module=sqlite_module(), poolclass=QueuePool, connect_args={"timeout": WAIT_S})
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    try:
        with told_plainly(), locked(lock_of(path)), engine.connect():  # two at once cannot both turn the log on
            return engine
    except BurnishError as error:
        engine.dispose()
        raise (_no_database(path) if "not a database" in str(error) else error) from None


def _make(path: Path) -> None:
    if path.name == ":memory:":
        raise UserError("the store is a file, not in memory; give sqlite:////path/file.db.")
    if path.is_dir():
        raise UserError(f"{path}: is a folder; a database is a file: give sqlite:///{path}/burnish.db.")
    if path.exists() and 0 < path.stat().st_size < LEAST_BYTES:  # SQLite would take it for empty and write over it
        raise _no_database(path)
    with disk_faults(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise UserError(f"{path}: cannot be made, because {path.parent} is no folder.") from None
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))  # its owner's alone, as its log then is


def _no_database(path: Path) -> UserError:
    return UserError(f"{path}: is no SQLite database; give the path of one, or of a file that does not exist yet.")


def sqlite_module() -> Any:
    """pysqlite3, which brings a sound SQLite, where it is installed; else Python's own."""
    try:
        from pysqlite3 import dbapi2

        return dbapi2
    except ImportError:
        import sqlite3

        return sqlite3


def sqlite_warning() -> str | None:
    """What is wrong with the SQLite that is used here, in one sentence; None when nothing is."""
    module = sqlite_module()
    version = tuple(module.sqlite_version_info)
    if version >= SOUND[0] or any(version[:2] == sound[:2] and version >= sound for sound in SOUND[1:]):
        return None
    return (
        f"SQLite {module.sqlite_version} can corrupt its log when other programs write to the database too; "
        "pip install pysqlite3, and let no other program write to it."
    )


def _set_up(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin`: the driver's own way begins too late
    with closing(connection.cursor()) as cursor:
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")


def _begin(connection: Any) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql(f"PRAGMA query_only={0 if writes else 1}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def empty_log(engine: Engine) -> None:
    """Move the log into the file and cut it to nothing; a reader that does not end in a second is left its part."""
    with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(f"PRAGMA busy_timeout={READERS_WAIT_MS}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute(f"PRAGMA busy_timeout={int(WAIT_S * 1000)}")
