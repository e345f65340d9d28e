"""A journal of predictions: written before they are answered, moved into the database behind everybody's back.

The way of an answer never touches the database: a line is appended to a file, which outlives a killed process, and a
thread moves whole files into the database in large transactions. While the database is away the files wait.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO

import orjson

from burnish.store.faults import ValueRefused
from burnish.store.locks import try_lock
from burnish.store.records import Prediction
from burnish.store.texts import json_of

SUFFIX = ".jsonl"
MOST_BYTES = 1 << 30
"""Of files that wait. When the database is away for so long, further predictions are answered but not kept."""
MOVED_AT_ONCE = 2000


class Journal:
    """The journal of one process in a folder that all processes of a store share."""

    def __init__(
        self, folder: Path, move: Callable[[Sequence[Prediction]], None], most_bytes: int = MOST_BYTES
    ) -> None:
        self.folder = folder
        self.n_lost = 0
        """Predictions that were answered but not kept: no room, a disk that refused, a line that was damaged."""
        self._move = move
        self._most_bytes = most_bytes
        self._writing = threading.Lock()
        self._moving = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._waiting_bytes: int
        self._file, self._descriptor = self._opened()
        self._weigh()

    def add(self, records: Sequence[Prediction]) -> None:
        """Append; when it returns the lines outlive this process, though not a power cut. An answer is never held up by
        what cannot be kept: that is counted in `n_lost`.
        """
        lines = b"".join(json_of(record, orjson.OPT_APPEND_NEWLINE) for record in records)
        with self._writing:
            if self._waiting_bytes + len(lines) <= self._most_bytes and self._is_written(lines):
                self._waiting_bytes += len(lines)
            else:
                self.n_lost += len(records)

    def flush(self, *, of_others: bool = False) -> int:
        """Move this process's lines, and those that dead ones left, into the database; returns how many. With
        `of_others` those of living ones too, which move them again later, to no effect.

        Raises:
            StoreUnavailable: the database does not answer; what was not moved stays.
        """
        with self._moving:
            try:  # what waits goes first: while the database is away, no more files are begun
                n_moved = sum(self._move_file(file, of_others) for file in sorted(self.folder.glob(f"*{SUFFIX}")))
                whole = self._turn()
                return n_moved + (self._move_file(whole, of_others) if whole else 0)
            finally:
                self._weigh()

    def close(self) -> None:
        """Move what can be moved.

        Raises:
            StoreUnavailable: the database does not answer; what was not moved stays for the next process.
        """
        try:
            self.flush()
        finally:
            with self._writing:
                if self._descriptor >= 0:
                    if not os.fstat(self._descriptor).st_size:
                        self._file.unlink(missing_ok=True)
                    os.close(self._descriptor)
                self._descriptor = -1

    def _opened(self) -> tuple[Path, int]:
        """A new file, locked so that others see that somebody still writes to it."""
        while True:
            file = self.folder / f"{uuid.uuid4().hex}{SUFFIX}"
            descriptor = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
            if try_lock(descriptor) and os.fstat(descriptor).st_nlink:
                return file, descriptor
            os.close(descriptor)  # another process took it for a dead one's before it was locked

    def _turn(self) -> Path | None:
        """Begin a new file, so that the old one is whole; None where nothing was written to it, or there is no room for
        another: then the old one goes on.
        """
        with self._writing:
            if self._descriptor < 0 or not os.fstat(self._descriptor).st_size:
                return None
            whole, descriptor = self._file, self._descriptor
            try:
                self._file, self._descriptor = self._opened()
            except OSError:
                return None
            os.close(descriptor)
            return whole

    def _weigh(self) -> None:
        """Count what waits in the folder, whoever wrote it."""
        with self._writing:
            self._waiting_bytes = 0
            for file in self.folder.glob(f"*{SUFFIX}"):
                with suppress(FileNotFoundError):
                    self._waiting_bytes += file.stat().st_size

    def _is_written(self, lines: bytes) -> bool:
        """Whether the disk took the lines; a part of them that it took is cut off again."""
        try:
            n_before = os.fstat(self._descriptor).st_size
            try:
                _write_all(self._descriptor, lines)
            except OSError:
                os.ftruncate(self._descriptor, n_before)
                return False
        except OSError:
            return False
        return True

    def _move_file(self, file: Path, of_others: bool) -> int:
        """Move one file; that of a living process is read as far as it goes, and stays."""
        if file == self._file:
            return 0
        n_moved = 0
        try:
            with file.open("rb") as opened:
                is_left = try_lock(opened.fileno())
                if not is_left and not of_others:
                    return 0
                waiting = self._records(opened, is_left)
                while records := list(islice(waiting, MOVED_AT_ONCE)):
                    self._move_or_halve(records)
                    n_moved += len(records)
                if is_left:
                    file.unlink()
        except FileNotFoundError:  # another process was quicker
            return 0
        return n_moved

    def _move_or_halve(self, records: Sequence[Prediction]) -> None:
        """Move all but the records that the database cannot hold."""
        try:
            self._move(records)
        except ValueRefused:
            if len(records) == 1:
                self._lose_one()
                return
            middle = len(records) // 2
            self._move_or_halve(records[:middle])
            self._move_or_halve(records[middle:])

    def _records(self, opened: IO[bytes], is_left: bool) -> Iterator[Prediction]:
        """Whole lines as records; a half-written last line was never answered."""
        for line in opened:
            if not line.endswith(b"\n"):
                return
            try:
                yield Prediction(**orjson.loads(line))
            except (TypeError, orjson.JSONDecodeError):  # damaged by the disk, or of a newer Burnish
                if is_left:
                    self._lose_one()

    def _lose_one(self) -> None:
        with self._writing:
            self.n_lost += 1


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
