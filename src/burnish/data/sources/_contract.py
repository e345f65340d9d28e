"""What every source does: stream rows, each with the line it stands on, and say what it found out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from burnish.core.parts import Part


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `line` counts from 1: the line where the row starts, or the row's number in a file without lines."""

    line: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read. `problem` goes on after `file:line: `, says what was got and what to do."""

    line: int
    problem: str


class Source(Part, ABC):
    """A place that rows come from. Reading twice gives the same rows; memory does not grow with them."""

    suffixes: ClassVar[tuple[str, ...]] = ()
    takes_folder: ClassVar[bool] = False
    """Whether its `path` is a folder; else it is a file."""

    @abstractmethod
    def place(self) -> str:
        """How messages name it, e.g. `train.csv`."""

    def folder(self) -> Path:
        """What relative paths in its rows are led from: its file's folder, else the current one."""
        path = getattr(self, "path", None)
        return path.parent if isinstance(path, Path) else Path()

    @abstractmethod
    def rows(self) -> Iterator[Row | BadRow]:
        """Stream the rows.

        Raises:
            UserError: the whole source cannot be read (missing, empty, wrong encoding, only a header, …).
        """

    @abstractmethod
    def facts(self) -> dict[str, str]:
        """What was found out about the file, for the data card: encoding, byte-order mark, line ends, …"""
