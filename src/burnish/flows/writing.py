"""Answers beside their rows, in the form that the output's suffix names; the file appears when it is complete."""

from __future__ import annotations

import csv
import io
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import orjson

from burnish.core.errors import UserError, hint, listed
from burnish.core.files import disk_faults, fsync_folder, refuse_folder
from burnish.core.shelves import need

PREFIX = "prediction"
DECIMALS = 6
CHOICE = {"label", "confidence"}
ROWS_PER_GROUP = 10_000


class RowWriter(Protocol):
    """Takes rows one by one; `close` writes what is left."""

    def add(self, row: Mapping[str, Any], answer: Mapping[str, Any]) -> None: ...

    def close(self) -> None: ...


def form_of(path: Path) -> Callable[[Any], RowWriter]:
    """What writes the form that `path` names.

    Raises:
        UserError: the suffix names no form, a folder stands there, or there is no folder to write it into.
    """
    forms: dict[str, Callable[[Any], RowWriter]] = {
        ".csv": _Table,
        ".tsv": _Tabs,
        ".jsonl": _Lines,
        ".ndjson": _Lines,
        ".parquet": _Parquet,
    }
    folder = path.absolute().parent
    if path.suffix not in forms:
        raise UserError(f"{path}: the output must end in one of {listed(forms)}.{hint(path.suffix, forms)}")
    refuse_folder(path)
    if not folder.is_dir():
        problem = "is a file, not a folder; choose another" if folder.exists() else "does not exist; make it first"
        raise UserError(f"{path}: the folder {folder} {problem}.")
    return forms[path.suffix]


@contextmanager
def open_writer(path: Path) -> Iterator[RowWriter]:
    """A writer for `path`, which is replaced only when the block ends without an error.

    Raises:
        UserError: the path cannot be used, its form's library is missing, or the file cannot be written.
    """
    form = form_of(path)
    neighbour = path.with_name(f".{path.name}.tmp-{uuid.uuid4().hex[:8]}")
    try:
        with disk_faults(path), neighbour.open("wb") as file:
            writer = form(file)
            yield writer
            writer.close()
            file.flush()
            os.fsync(file.fileno())
        neighbour.replace(path)
        fsync_folder(path.absolute().parent)
    finally:
        neighbour.unlink(missing_ok=True)


def as_written(value: Any) -> Any:
    """An answer for a file or a screen: its numbers to 6 decimals, as no model is surer than that."""
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, Mapping):
        return {key: as_written(item) for key, item in value.items()}
    return [as_written(item) for item in value] if isinstance(value, list | tuple) else value


class _Lines:
    """JSON lines: the row, and the answer under the key `prediction`."""

    def __init__(self, file: Any) -> None:
        self.file = file

    def add(self, row: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        options = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
        self.file.write(orjson.dumps({**row, PREFIX: answer}, default=str, option=options))

    def close(self) -> None: ...


class _Table:
    """CSV: the row's cells, then `prediction_…` columns. Labels with confidences are told, other lists are JSON."""

    delimiter = ","

    def __init__(self, file: Any) -> None:
        self.text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
        self.writer: Any = None

    def add(self, row: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        flat = {name: _cell(value) for name, value in {**row, **_flat(answer)}.items()}
        if self.writer is None:
            self.writer = csv.DictWriter(self.text, list(flat), delimiter=self.delimiter, lineterminator="\n")
            self.writer.writeheader()
        self.writer.writerow(flat)

    def close(self) -> None:
        self.text.flush()
        self.text.detach()


class _Tabs(_Table):
    delimiter = "\t"


class _Parquet:
    """Parquet: columns as they came, then `prediction_…` columns with their own types."""

    def __init__(self, file: Any) -> None:
        self.arrow, self.parquet = need("pyarrow", "train"), need("pyarrow.parquet", "train")
        self.file = file
        self.waiting: list[dict[str, Any]] = []
        self.writer: Any = None

    def add(self, row: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        self.waiting.append({**row, **_flat(answer)})
        if len(self.waiting) >= ROWS_PER_GROUP:
            self._flush()

    def close(self) -> None:
        if self.waiting:
            self._flush()
        if self.writer is not None:
            self.writer.close()

    def _flush(self) -> None:
        table = self.arrow.Table.from_pylist(self.waiting, schema=self.writer.schema if self.writer else None)
        if self.writer is None:
            self.writer = self.parquet.ParquetWriter(self.file, table.schema)
        self.writer.write_table(table)
        self.waiting = []


def _flat(answer: Mapping[str, Any], prefix: str = PREFIX) -> dict[str, Any]:
    """`prediction_label`, or of several tasks `prediction_sentiment_label`, each with its value."""
    flat: dict[str, Any] = {}
    for name, value in answer.items():
        flat |= _flat(value, f"{prefix}_{name}") if isinstance(value, Mapping) else {f"{prefix}_{name}": value}
    return flat


def _cell(value: Any) -> Any:
    if isinstance(value, list) and value and all(isinstance(one, dict) and one.keys() == CHOICE for one in value):
        return "|".join(f"{one['label']}:{one['confidence']}" for one in value)
    if isinstance(value, list | dict | tuple):
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY, default=str).decode()
    return value
