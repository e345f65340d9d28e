"""A journal of predictions: written before they are answered, moved into the database behind everybody's back.

The way of an answer never touches the database: a line is appended to a file, which outlives a killed process, and a
thread moves whole files into the database in large transactions. While the database is away the files wait.
"""

from __future__ import annotations

import fcntl
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import orjson

from burnish.store.records import Prediction

SUFFIX = ".jsonl"
MOST_BYTES = 1 << 30
"""Of files that wait. When the database is away for so long, further predictions are answered but not kept."""


class Journal:
    """The journal of one process in a folder that all processes of a store share."""

    def __init__(
        self, folder: Path, move: Callable[[Sequence[Prediction]], None], most_bytes: int = MOST_BYTES
    ) -> None:
        self.folder = folder
        self.n_lost = 0
        self._move = move
        self._most_bytes = most_bytes
        self._writing = threading.Lock()
        self._moving = threading.Lock()
        self._waiting_bytes = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._file: Path
        self._descriptor: int
        self._begin()

    def add(self, records: Sequence[Prediction]) -> None:
        """Append; when it returns the lines outlive this process, though not a power cut."""
        lines = b"".join(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in records)
        with self._writing:
            if self._waiting_bytes + len(lines) > self._most_bytes:
                self.n_lost += len(records)
                return
            _write_all(self._descriptor, lines)
            self._waiting_bytes += len(lines)

    def flush(self, *, of_others: bool = False) -> int:
        """Move this process's lines, and those that dead ones left, into the database; returns how many. With
        `of_others` those of living ones too, which move them again later, to no effect.

        Raises:
            StoreUnavailable: the database does not answer; what was not moved stays.
        """
        with self._moving:
            self._turn()
            n_moved = 0
            for file in sorted(self.folder.glob(f"*{SUFFIX}")):
                n_moved += self._move_file(file, of_others)
            return n_moved

    def close(self) -> None:
        """Move what can be moved; what cannot stays for the next process."""
        try:
            self.flush()
        finally:
            with self._writing:
                os.close(self._descriptor)
                if self._file.exists() and not self._file.stat().st_size:
                    self._file.unlink()

    def _begin(self) -> None:
        self._file = self.folder / f"{uuid.uuid4().hex}{SUFFIX}"
        self._descriptor = os.open(self._file, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)  # others see that somebody still writes to it

    def _turn(self) -> None:
        """Begin a new file, so that the old one is whole."""
        with self._writing:
            if os.fstat(self._descriptor).st_size:
                os.close(self._descriptor)
                self._begin()

    def _move_file(self, file: Path, of_others: bool) -> int:
        """Move one file; that of a living process is read as far as it goes, and stays."""
        if file == self._file:
            return 0
        try:
            with file.open("rb") as opened:
                is_left = _try_lock(opened.fileno())
                if not is_left and not of_others:
                    return 0
                content = opened.read()
                records = list(_records(content))
                for start in range(0, len(records), 2000):
                    self._move(records[start : start + 2000])
                if is_left:
                    file.unlink()
                    with self._writing:
                        self._waiting_bytes = max(0, self._waiting_bytes - len(content))
        except FileNotFoundError:  # another process was quicker
            return 0
        return len(records)


def _records(content: bytes) -> Iterator[Prediction]:
    """Whole lines as records; a half-written last line was never answered."""
    for line in content.split(b"\n")[:-1]:
        yield Prediction(**orjson.loads(line))


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
