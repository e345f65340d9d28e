"""An installation of a benchmark's own: versions of one bundle, a key, and servers of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from serving.bench import Bench
from serving.processes import Usage, end, usage, wait_until

START_S = 120.0
NAME = "intent"


class House:
    """A folder with a database, released versions and an admin's key."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None, cores: Collection[int] = ()) -> None:
        self.folder = folder
        self.cores = cores
        self.home = folder / "home"
        self.environment = {**os.environ, "BURNISH_HOME": str(self.home), **(environment or {})}
        self.key = self.do("keys", "--create", "bench", "--role", "admin").split()[-1]

    def do(self, *words: str, codes: Sequence[int] = (0,)) -> str:
        """What a command of burnish prints.

        Raises:
            RuntimeError: it failed.
        """
        command = [sys.executable, "-m", "burnish", *words]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=600)
        if done.returncode not in codes:
            raise RuntimeError(f"burnish {' '.join(words)}: {done.stderr[-2000:]}")
        return done.stdout

    def release(self, bundle: Path, rows: Sequence[Mapping[str, str]], n_versions: int = 1) -> None:
        """Versions of one bundle, of which the first is production; they differ in a line of the README. Some rows
        stand in for the test rows of its recipe, which need not be on this machine.
        """
        from burnish.core.manifest import write_manifest

        test = self.folder / "rows.jsonl"
        test.write_text("".join(json.dumps(row) + "\n" for row in rows))
        for number in range(1, n_versions + 1):
            twin = self.folder / f"twin-{number}"
            shutil.copytree(bundle, twin)
            with (twin / "README.md").open("a") as file:
                file.write(f"\nVersion {number} of a benchmark.\n")
            write_manifest(twin)
            self.do("release", str(twin), "--name", NAME, f"data.test={test}", codes=(0, 3))
            shutil.rmtree(twin)
            if number == 1:
                self.do("promote", f"{NAME}:1", "--force")

    @contextmanager
    def serving(self, *options: str) -> Iterator[Server]:
        """A server, ended with the block whatever happens."""
        server = Server(self, options)
        try:
            server.await_ready()
            yield server
        finally:
            server.end()


class Server:
    """`burnish serve` on a port of its own."""

    def __init__(self, house: House, options: Sequence[str] = ()) -> None:
        self.house = house
        self.n_workers = int(options[options.index("--workers") + 1]) if "--workers" in options else 1
        self.log = Path(tempfile.mkstemp(prefix="serving-", suffix=".log", dir=house.folder)[1])
        command = [sys.executable, "-m", "burnish", "serve", NAME, "--port", "0", *options]
        with self.log.open("wb") as file:
            self.process = subprocess.Popen(
                command, env=house.environment, stdout=file, stderr=file, start_new_session=True, preexec_fn=self._move
            )

    def _move(self) -> None:
        if self.house.cores:
            os.sched_setaffinity(0, self.house.cores)

    def await_ready(self) -> None:
        def is_ready() -> bool:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended by {self.process.returncode}: {self.log.read_text()[-2000:]}")
            return len(self.ready_processes()) >= self.n_workers

        wait_until(is_ready, START_S, "a server that is ready")

    @property
    def port(self) -> int:
        return int(next(line["url"] for line in self.lines() if "url" in line).rsplit(":", 1)[1])

    def ready_processes(self) -> list[int]:
        """Of every process that said that it is ready, dead ones too, in the order in which they did."""
        return [line["process"] for line in self.lines() if line.get("message") == "ready"]

    def lines(self) -> list[dict[str, Any]]:
        """What it logged so far."""
        found = []
        for line in self.log.read_text("utf-8", "replace").splitlines():
            if line.startswith("{") and line.endswith("}"):
                found.append(json.loads(line))
        return found

    def usage(self) -> Usage:
        return usage(self.process.pid)

    def end(self) -> int:
        """Its exit code."""
        return end(self.process)


@contextmanager
def house_of(bench: Bench, n_versions: int = 1, environment: Mapping[str, str] | None = None) -> Iterator[House]:
    """An installation with some versions of the bundle, gone with the block."""
    folder = Path(tempfile.mkdtemp(prefix="burnish-serving-"))
    try:
        house = House(folder, environment, bench.server_cores)
        house.release(bench.bundle, bench.rows(), n_versions)
        yield house
    finally:
        shutil.rmtree(folder, ignore_errors=True)
