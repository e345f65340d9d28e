"""Files beside the training rows that hold dev or test: dev.csv by train.csv, orders_test.csv by orders.csv."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burnish.core.errors import UserError
from burnish.data.sources._contract import Row, Source
from burnish.flows.sampling import file_of, opened_like

WORDS = {"dev": ("dev", "valid", "validation", "val", "testa"), "test": ("test", "testb")}
MARKS = "_-."


@dataclass(frozen=True)
class Neighbour:
    """A file that its name gives away; `lacks` are the columns that it would need and has not."""

    path: Path
    lacks: tuple[str, ...]


def neighbours(source: Source, columns: Collection[str]) -> dict[str, Neighbour]:
    """Side → the file beside the training rows that is named for it. `columns` are what the task reads.

    Competitions hand out test files without answers, so the first row is looked at, not only the name.
    """
    path = file_of(source)
    if path is None:
        return {}
    found = {side: next(_named_for(side, path), None) for side in WORDS}
    return {side: _looked_at(file, source, columns) for side, file in found.items() if file is not None}


def _named_for(side: str, path: Path) -> Iterator[Path]:
    names = [path.name.replace("train", word) for word in WORDS[side] if "train" in path.name]
    names += [f"{path.stem}{mark}{word}{path.suffix}" for word in WORDS[side] for mark in MARKS]
    return (file for file in map(path.with_name, names) if file.is_file())


def _looked_at(file: Path, source: Source, columns: Collection[str]) -> Neighbour:
    first = _first_row(opened_like(source, path=file))
    return Neighbour(file, tuple(name for name in columns if name not in first))


def _first_row(source: Source) -> Mapping[str, Any]:
    """The first good row's values; none when the file cannot be read, which is said when somebody asks for it."""
    try:
        return next((row.values for row in source.rows() if isinstance(row, Row)), {})
    except UserError:
        return {}
