"""A copy of an installation while it is in use."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from burnish.core.errors import UserError
from burnish.core.files import new_folder, write_bytes
from burnish.core.manifest import verify_manifest, write_manifest
from burnish.store.home import BESIDE, TESTS, Home
from burnish.store.sqlite import sqlite_module

DATABASE = "burnish.db"
NOTE = "backup.txt"


def back_up(home: Home, out: Path) -> Path:
    """Copy database, released bundles, frozen test rows and secret into a new folder, checked and with a manifest.

    What waits in the journal is moved into the database first.

    The folder is an installation itself: `BURNISH_HOME=out` uses it.

    Raises:
        UserError: the database is no file, the folder is not empty, or the copy does not pass SQLite's own check.
        StoreUnavailable: the database does not answer.
    """
    if not home.store.is_sqlite:
        raise UserError(
            "this installation's database is PostgreSQL: back it up with pg_dump, and copy the folder of the bundles."
        )
    with closing(home.journal()) as journal:
        journal.flush(of_others=True)
    with new_folder(out) as folder:
        folder.chmod(0o700)
        _copy_database(home, folder / DATABASE)
        for source, target in ((home.bundles.folder, "bundles"), (home.folder / TESTS, TESTS)):
            if source.is_dir():
                shutil.copytree(source, folder / target, ignore=shutil.ignore_patterns(".*"))  # what is half copied yet
        write_bytes(folder / BESIDE, home.secret, is_private=True)
        (folder / NOTE).write_text(f"made {time.strftime('%Y-%m-%d %H:%M:%S %Z')}\n", "utf-8")
        write_manifest(folder)
    return out


def check_backup(folder: Path) -> None:
    """Raise `UserError` unless a backup is as it was made: every file, and the database in itself."""
    if not (folder / NOTE).is_file():
        raise UserError(f"{folder}: is no backup; give the folder that one was made into.")
    try:
        verify_manifest(folder)
    except UserError as error:
        raise UserError(f"{folder}: the backup is torn, or was used since it was made: {error.faults[0]}") from None
    _check_database(folder / DATABASE)


def _copy_database(home: Home, target: Path) -> None:
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with closing(sqlite_module().connect(str(target))) as copy:
        with home.store.reading() as connection:
            source: Any = connection.connection.driver_connection
            source.backup(copy)  # in one step: writers go on, and are not in it
        copy.execute("PRAGMA journal_mode=DELETE")  # one file
    _check_database(target)


def _check_database(file: Path) -> None:
    module = sqlite_module()
    try:
        with closing(module.connect(f"file:{_quoted(file)}?mode=ro&immutable=1", uri=True)) as database:
            [found] = database.execute("PRAGMA integrity_check(1)").fetchone()
    except module.DatabaseError as error:
        found = error
    if found != "ok":
        raise UserError(f"{file}: the copy of the database is damaged ({found}); is the original? Do not use it.")


def _quoted(file: Path) -> str:
    from urllib.parse import quote

    return quote(str(file.absolute()))
