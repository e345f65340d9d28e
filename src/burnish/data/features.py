"""The feature store: encoded rows on disk, so that every epoch reads integers and nothing is tokenized twice.

A feature's fields lie one after the other in one flat int32 file, feature after feature, so that one `pread`
brings all of it. Lengths are stored only for fields whose length varies. Features may be of several kinds, each with
fields of its own; a field that a feature lacks takes no room and is not read back. The folder is a cache that can be
built again: it is not fsynced, but `index.json` is written last and says the size of every file, so a folder that was
not finished, or was cut, is refused.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import UserError
from burnish.core.files import disk_faults, read_json, write_json

FORMAT = 2
FLUSH_VALUES = 1 << 18  # 1 MiB of int32
MAIN_FIELD = "input_ids"
COST_FIELD = "n_units"
KIND_FIELD = "kind"

Feature = dict[str, NDArray[np.int32]]
IntsLike = Sequence[int] | NDArray[Any]


def cost_of(feature: Mapping[str, IntsLike]) -> int:
    """What a feature costs to compute: what it says as `n_units` [1] (patches of a picture, say), else its tokens."""
    return int(feature[COST_FIELD][0]) if COST_FIELD in feature else len(feature[MAIN_FIELD])


def kind_of(feature: Mapping[str, IntsLike]) -> int:
    """What a feature says as `kind` [1], else 0. Only features of one kind have the same fields and share a batch."""
    return int(feature[KIND_FIELD][0]) if KIND_FIELD in feature else 0


class FeatureWriter:
    """Writes features into `folder`; the store is there when the `with` block ends without an error."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._fields: dict[str, _Field] = {}
        self._names: dict[int, list[str]] = {}
        """Kind → names of its fields."""
        self._n = 0

    def __enter__(self) -> FeatureWriter:
        with disk_faults(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "index.json").unlink(missing_ok=True)
            self._values = _Int32File(self.folder / "values.i32")
            self._rows = _Int32File(self.folder / "rows.i32")
            self._costs = _Int32File(self.folder / "costs.i32")
            self._kinds = _Int32File(self.folder / "kinds.i32")
        return self

    def add(self, row: int, feature: Mapping[str, IntsLike]) -> None:
        """Append one feature of example `row`. Features of one kind have the same fields; values fit in 32 bits."""
        kind = kind_of(feature)
        if len(feature) != len(self._names.get(kind, ())) or not feature.keys() >= set(self._names[kind]):
            self._start(kind, feature)
        n_main = len(feature.get(MAIN_FIELD, ()))
        for name, field in self._fields.items():
            values = feature.get(name, ())
            self._values.extend(values)
            field.add(len(values), n_main)
        self._rows.append(row)
        self._costs.append(cost_of(feature))
        self._kinds.append(kind)
        self._n += 1

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        files = [
            self._values,
            self._rows,
            self._costs,
            self._kinds,
            *(field.lengths for field in self._fields.values()),
        ]
        with disk_faults(self.folder):
            with ExitStack() as opened:
                for file in files:
                    opened.callback(file.close)  # every one of them, also when the disk refuses another
                for file in files if kind is None else []:
                    file.flush()
            if kind is None:
                self._finish()

    def _start(self, kind: int, feature: Mapping[str, IntsLike]) -> None:
        """Take on the fields of a kind's first feature."""
        if kind in self._names or not {MAIN_FIELD, COST_FIELD} & feature.keys():
            expected = sorted(self._names.get(kind, ())) or MAIN_FIELD
            raise ValueError(f"a feature has the fields {sorted(feature)}, expected {expected}")
        self._names[kind] = list(feature)
        with disk_faults(self.folder):
            for name in [one for one in feature if one not in self._fields]:
                lengths = _Int32File(self.folder / f"{name}.lengths.i32")
                lengths.extend(np.zeros(self._n, np.int32))
                width = 0 if self._n else len(feature[name])
                self._fields[name] = _Field(width, lengths, is_like_main=not self._n)

    def _finish(self) -> None:
        fields: dict[str, dict[str, Any]] = {}
        for name, field in self._fields.items():
            fields[name] = field.kind(is_main=name == MAIN_FIELD)
            if not fields[name]["has_lengths"]:
                field.lengths.path.unlink()
        sizes = {file.name: file.stat().st_size for file in sorted(self.folder.glob("*.i32"))}
        kinds = [{"kind": kind, "fields": names} for kind, names in self._names.items()]
        index = {"format": FORMAT, "n_features": self._n, "fields": fields, "kinds": kinds, "sizes": sizes}
        write_json(self.folder / "index.json", index)


class FeatureStore:
    """Features in `folder`, read by index. In memory: lengths, rows and places only, never the values.

    Raises:
        UserError: the store was not finished, or a file of it is missing or cut.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        index = _checked_index(folder)
        self._n = int(index["n_features"])
        self._fields: dict[str, dict[str, Any]] = index["fields"]
        self._names = {one["kind"]: frozenset(one["fields"]) for one in index["kinds"]}
        self._file = os.open(folder / "values.i32", os.O_RDONLY)

    def __len__(self) -> int:
        return self._n

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)

    @property
    def names(self) -> list[str]:
        return list(self._fields)

    @cached_property
    def lengths(self) -> NDArray[np.int32]:
        """[N] what each feature costs, in tokens or other units."""
        return np.fromfile(self.folder / "costs.i32", np.int32)

    @cached_property
    def rows(self) -> NDArray[np.int32]:
        """[N] which example each feature comes from."""
        return np.fromfile(self.folder / "rows.i32", np.int32)

    @cached_property
    def kinds(self) -> NDArray[np.int32]:
        """[N] the kind of each feature."""
        if len(self._names) > 1:
            return np.fromfile(self.folder / "kinds.i32", np.int32)
        return np.broadcast_to(np.int32(next(iter(self._names), 0)), self._n)  # one number in memory

    def read(self, indices: Iterable[int] | NDArray[Any]) -> list[Feature]:
        """The features at `indices`, in that order: views of one new, writable buffer."""
        chosen = np.asarray(indices if isinstance(indices, np.ndarray) else list(indices), np.int64)
        widths = [self._widths[name][chosen] for name in self._fields]
        sizes = np.zeros(len(chosen), np.int64)
        for column in widths:
            sizes += column
        starts = np.cumsum(sizes) - sizes
        buffer = np.empty(max(1, int(sizes.sum())), np.int32)  # 1: a view of nothing cannot be cast
        window = buffer.data.cast("B")
        places = (self._starts[chosen] * 4).tolist()
        for start, size, place in zip((starts * 4).tolist(), (sizes * 4).tolist(), places, strict=True):
            if os.preadv(self._file, [window[start : start + size]], place) != size:
                raise UserError(f"{self.folder}: the prepared data was cut while it was read; run again to rebuild it.")
        names = [self._names[kind] for kind in self.kinds[chosen].tolist()]
        return self._cut(buffer, starts, widths, names)

    def _cut(
        self,
        buffer: NDArray[np.int32],
        starts: NDArray[np.int64],
        widths: list[NDArray[Any]],
        names: list[frozenset[str]],
    ) -> list[Feature]:
        columns = [column.tolist() for column in widths]
        features: list[Feature] = []
        for at, start in enumerate(starts.tolist()):
            feature: Feature = {}
            for name, column in zip(self._fields, columns, strict=True):
                if name in names[at]:
                    feature[name] = buffer[start : start + column[at]]
                start += column[at]  # the next field begins where this one ends
            features.append(feature)
        return features

    @cached_property
    def _main_lengths(self) -> NDArray[np.int32]:
        return self._lengths_of(MAIN_FIELD)

    @cached_property
    def _widths(self) -> dict[str, NDArray[np.int32]]:
        return {name: self._main_lengths if name == MAIN_FIELD else self._lengths_of(name) for name in self._fields}

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """[N] where each feature begins in `values.i32`, in values."""
        sizes = np.zeros(self._n, np.int64)
        for widths in self._widths.values():
            sizes += widths
        return np.cumsum(sizes) - sizes

    def _lengths_of(self, name: str) -> NDArray[np.int32]:
        kind = self._fields[name]
        if kind["has_lengths"]:
            return np.fromfile(self.folder / f"{name}.lengths.i32", np.int32)
        if kind["width"] is None:  # as long as the tokens
            return self._main_lengths
        return np.broadcast_to(np.int32(kind["width"]), self._n)  # one number in memory, however many features


@dataclass(slots=True)
class _Field:
    """What is known about a field's lengths while features come in."""

    width: int
    lengths: _Int32File
    is_like_main: bool
    is_constant: bool = True

    def add(self, n: int, n_main: int) -> None:
        self.lengths.append(n)
        self.is_constant = self.is_constant and n == self.width
        self.is_like_main = self.is_like_main and n == n_main

    def kind(self, *, is_main: bool) -> dict[str, Any]:
        """How a reader finds the lengths: one width, the tokens' lengths (width None), or a file."""
        has_lengths = not self.is_constant and (is_main or not self.is_like_main)
        return {"width": self.width if self.is_constant else None, "has_lengths": has_lengths}


class _Int32File:
    """Appends 32-bit integers through a small buffer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] = path.open("wb")
        self._waiting = array("i")

    def append(self, value: int) -> None:
        self._waiting.append(value)
        if len(self._waiting) >= FLUSH_VALUES:
            self.flush()

    def extend(self, values: IntsLike) -> None:
        if isinstance(values, np.ndarray):
            self._waiting.frombytes(np.ascontiguousarray(values, np.int32).tobytes())
        else:
            self._waiting.extend(values)
        if len(self._waiting) >= FLUSH_VALUES:
            self.flush()

    def close(self) -> None:
        self._file.close()

    def flush(self) -> None:
        with disk_faults(self.path):
            self._file.write(self._waiting)
        self._waiting = array("i")


def _checked_index(folder: Path) -> dict[str, Any]:
    again = "remove the folder and run again to rebuild it"
    if not (folder / "index.json").is_file():
        raise UserError(f"{folder}: the prepared data was not finished; {again}.")
    index: dict[str, Any] = read_json(folder / "index.json")
    if index.get("format") != FORMAT:
        raise UserError(f"{folder}: the prepared data has format {index.get('format')}, not {FORMAT}; {again}.")
    for name, size in index["sizes"].items():
        found = (folder / name).stat().st_size if (folder / name).is_file() else None
        if found != size:
            got = "is missing" if found is None else f"has {found:,} bytes"
            raise UserError(f"{folder / name}: {got}, expected {size:,}; {again}.")
    return index
