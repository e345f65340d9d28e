"""A copy of an installation while it is in use."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from burnish.core.errors import UserError
from burnish.core.files import new_folder
from burnish.core.manifest import write_manifest
from burnish.store.home import BESIDE, Home
from burnish.store.store import sqlite_module

DATABASE = "burnish.db"


def back_up(home: Home, out: Path) -> Path:
    """Copy database, released bundles and secret into a new folder, checked and with a manifest.

    The folder is an installation itself: `BURNISH_HOME=out` uses it.

    Raises:
        UserError: the database is no file, the folder is not empty, or the copy does not pass SQLite's own check.
    """
    if not home.store.is_sqlite:
        raise UserError(
            "this installation's database is PostgreSQL: back it up with pg_dump, and copy the folder of the bundles."
        )
    with new_folder(out) as folder:
        _copy_database(home, folder / DATABASE)
        if home.bundles.folder.is_dir():
            shutil.copytree(home.bundles.folder, folder / "bundles", ignore=shutil.ignore_patterns(".*.tmp-*"))
        (folder / BESIDE).write_bytes(home.secret)
        (folder / BESIDE).chmod(0o600)
        (folder / "backup.txt").write_text(f"made {time.strftime('%Y-%m-%d %H:%M:%S %Z')}\n", "utf-8")
        write_manifest(folder)
    return out


def _copy_database(home: Home, target: Path) -> None:
    sqlite = sqlite_module()
    copy = sqlite.connect(str(target))
    with home.store.reading() as connection:
        source: Any = connection.connection.driver_connection
        source.backup(copy)
    copy.execute("PRAGMA journal_mode=DELETE")
    [found] = copy.execute("PRAGMA integrity_check").fetchone()
    copy.close()
    target.chmod(0o600)
    if found != "ok":
        raise UserError(f"{target}: the copy of the database is damaged ({found}); is the original? Nothing was kept.")
