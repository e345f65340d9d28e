"""A PostgreSQL of one's own for some minutes, from the machine's binaries: for tests and benchmarks.

It listens on a socket in its own folder only. PostgreSQL refuses to run as root, so then it runs as another user.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

OWNERS = ("postgres", "nobody")
SETTINGS = "listen_addresses='' shared_buffers=16MB max_connections=80 max_wal_size=256MB"


def binaries() -> Path | None:
    """The folder of `initdb` and `pg_ctl`, of the newest version; None where there is none."""
    on_path = [Path(found).parent for name in ("initdb",) if (found := shutil.which(name))]
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: one.parent.name, reverse=True)
    folders = [
        folder for folder in (*on_path, *versions) if (folder / "initdb").exists() and (folder / "pg_ctl").exists()
    ]
    return folders[0] if folders else None


class Cluster:
    """One server with its data in a temporary folder. One that is not durable keeps nothing through a power cut, and is
    started again in less time.
    """

    def __init__(self, folder: Path, *, is_durable: bool = True) -> None:
        found = binaries()
        assert found is not None, "there is no PostgreSQL on this machine"
        self.folder, self._binaries = folder, found
        self._settings = f"{SETTINGS} fsync={'on' if is_durable else 'off'}"
        self._owner = _owner()
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
        if self._owner:
            shutil.chown(folder, self._owner.pw_uid, self._owner.pw_gid)
        self._run("initdb", "--no-sync", "-A", "trust", "-U", "burnish", "-E", "UTF8", "--locale=C")
        self.start()

    def start(self) -> None:
        options = " ".join(f"-c {setting}" for setting in self._settings.split(" ")) + f" -k {self.folder}"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """`immediate`: as if every process of it had been killed."""
        self.thaw()
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    def freeze(self) -> None:
        """Every process of it stands still; its sockets stay open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def url(self, database: str) -> str:
        return f"postgresql://burnish@/{database}?host={self.folder}"

    def create(self, database: str) -> str:
        """Make an empty database; returns its URL."""
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{database}"')
            connection.execute(f'CREATE DATABASE "{database}"')
        return self.url(database)

    def _signal(self, number: int) -> None:
        head = int((self.folder / "data" / "postmaster.pid").read_text().split("\n")[0])
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
        for process in [head, *(own for own, parent in pairs if parent == head)]:
            with suppress(ProcessLookupError):  # it has ended since
                os.kill(process, number)

    def _run(self, name: str, *arguments: str) -> None:
        command = [str(self._binaries / name), "-D", str(self.folder / "data"), *arguments]
        owner = self._owner
        whose = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}
        with open(self.folder / "said", "ab") as said:  # not a pipe: the server would keep it open
            done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=said, stderr=said, **whose)
        if done.returncode:
            raise RuntimeError(f"{name}: {(self.folder / 'said').read_text('utf-8', 'replace')[-2000:]}")


def temporary_folder() -> Path:
    """A short path, since that of a socket has to be, in a place where another user may enter."""
    return Path(tempfile.mkdtemp(prefix="burnish-pg-"))


def _owner() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    users = {user.pw_name: user for user in pwd.getpwall()}
    return next(users[name] for name in OWNERS if name in users)
