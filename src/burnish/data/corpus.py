"""The corpus: every example that a task kept, in source order, in one Arrow file that never has to fit in memory.

Files are read with plain reads, not mapped: pages of a mapping count as resident memory, and training must
not need more memory for more rows.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import UserError
from burnish.core.files import disk_faults, fsync_folder
from burnish.core.shelves import need

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 4096
BATCH_BYTES = 8 << 20

Example = dict[str, Any]


class CorpusWriter:
    """Writes examples to `path`, which appears, whole, when the `with` block ends without an error.

    Raises:
        UserError: the disk is full or may not be written, or a text holds half a character (a lone surrogate).
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self._schema = schema
        self._names = frozenset(schema.names)
        self._neighbour = path.with_name(f".{path.name}.tmp-{uuid.uuid4().hex[:8]}")
        self._waiting: list[Mapping[str, Any]] = []
        self._waiting_bytes = 0

    def __enter__(self) -> CorpusWriter:
        import pyarrow as pa

        with disk_faults(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = pa.OSFile(str(self._neighbour), "wb")
            self._writer = pa.ipc.new_file(self._file, self._schema)
        return self

    def add(self, example: Mapping[str, Any]) -> None:
        """Append one example; its keys are the schema's names."""
        if example.keys() != self._names:
            raise ValueError(f"an example has the fields {sorted(example)}, the corpus {sorted(self._names)}")
        self._waiting.append(example)
        self._waiting_bytes += sum(_rough_bytes(value) for value in example.values())
        if len(self._waiting) >= BATCH_ROWS or self._waiting_bytes >= BATCH_BYTES:
            self._flush()

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._flush()
            with disk_faults(self.path):
                self._writer.close()
                self._file.close()
                if kind is None:
                    _publish(self._neighbour, self.path)
        finally:
            self._neighbour.unlink(missing_ok=True)

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._waiting:
            return
        try:
            batch = pa.RecordBatch.from_pylist(self._waiting, schema=self._schema)
        except UnicodeEncodeError:
            raise UserError(*_torn_characters(self._waiting)) from None
        with disk_faults(self.path):
            self._writer.write_batch(batch)
        self._waiting, self._waiting_bytes = [], 0


class Corpus:
    """Examples on disk: streamed in source order, or taken by index. Holds at most one record batch in memory.

    Raises:
        UserError: `path` is missing, or is not a whole corpus file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.schema = self._open().schema

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __iter__(self) -> Iterator[Example]:
        for batch in self.batches():
            yield from batch

    def batches(self, most_rows: int = BATCH_ROWS) -> Iterator[list[Example]]:
        """Examples in order, a record batch, or at most `most_rows` of it, at a time."""
        for batch in self._record_batches():
            for start in range(0, len(batch), most_rows):
                yield batch.slice(start, most_rows).to_pylist()

    def values(self, name: str) -> Iterator[Any]:
        """One column, streamed; nothing of the other columns is read."""
        for batch in self._record_batches(name):
            yield from batch.column(0).to_pylist()

    def column(self, name: str) -> NDArray[Any] | list[Any]:
        """One column in memory: numbers and strings as an array [N], lists as a list.

        Equal strings are one object, so that a column of few distinct values stays small. A missing string is
        None; a missing number makes the column float64 with NaN.
        """
        import pyarrow as pa

        kind = self.schema.field(name).type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            codes, labels = self.codes(name)
            return np.array([*labels, None], dtype=object)[codes]  # code -1, a missing value, meets the last: None
        if pa.types.is_nested(kind) or pa.types.is_null(kind):
            return list(self.values(name))
        pieces = [batch.column(0).to_numpy(zero_copy_only=False) for batch in self._record_batches(name)]
        return np.concatenate(pieces) if pieces else np.empty(0, kind.to_pandas_dtype())

    def codes(self, name: str) -> tuple[NDArray[np.int32], list[str]]:
        """A column as codes [N] into its sorted distinct values (as strings); -1 where the value is missing."""
        import pyarrow as pa

        codes = np.empty(len(self), np.int32)
        seen: dict[str, int] = {}
        done = 0
        for batch in self._record_batches(name):
            encoded = batch.column(0).cast(pa.string()).dictionary_encode()
            known = [seen.setdefault(value, len(seen)) for value in encoded.dictionary.to_pylist()]
            local = encoded.indices.fill_null(len(known)).to_numpy()
            codes[done : done + len(local)] = np.array([*known, -1], np.int32)[local]
            done += len(local)
        labels = sorted(seen)
        ranks = np.empty(len(labels) + 1, np.int32)
        ranks[[seen[label] for label in labels]] = np.arange(len(labels), dtype=np.int32)
        ranks[-1] = -1
        return ranks[codes], labels

    def take(self, indices: Iterable[int] | NDArray[np.int64]) -> list[Example]:
        """The examples at `indices` (0 … N-1, any order), each record batch read once."""
        wanted = np.asarray(indices if isinstance(indices, np.ndarray) else list(indices), np.int64)
        if len(wanted) and (wanted.min() < 0 or wanted.max() >= len(self)):
            raise IndexError(f"the corpus has {len(self)} examples; asked for {wanted.min()} … {wanted.max()}")
        taken: list[Example] = [{}] * len(wanted)
        numbers = np.searchsorted(self._ends, wanted, side="right")
        reader = self._open()
        for number in np.unique(numbers):
            places = np.flatnonzero(numbers == number)
            batch = reader.get_batch(int(number))
            rows = batch.take(wanted[places] - (self._ends[number] - batch.num_rows)).to_pylist()
            for place, row in zip(places, rows, strict=True):
                taken[place] = row
        return taken

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        """[record batches] index after each batch's last row; found by reading the first column alone."""
        if not self.schema.names:
            return np.empty(0, np.int64)
        return np.cumsum([batch.num_rows for batch in self._record_batches(self.schema.names[0])], dtype=np.int64)

    def _record_batches(self, name: str | None = None) -> Iterator[pa.RecordBatch]:
        reader = self._open(name)
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)

    def _open(self, name: str | None = None) -> pa.RecordBatchFileReader:
        pa = need("pyarrow", "train")
        fields = None if name is None else [self.schema.get_field_index(name)]
        if fields == [-1]:
            raise KeyError(f"the corpus has no column '{name}'; it has {self.schema.names}")
        try:
            options = pa.ipc.IpcReadOptions(included_fields=fields, use_threads=False)
            return pa.ipc.open_file(pa.OSFile(str(self.path)), options=options)
        except (OSError, pa.ArrowInvalid) as error:
            reason = str(error).split("\n")[0]
            raise UserError(f"{self.path}: is not a whole corpus file ({reason}); remove it and run again.") from None


def _rough_bytes(value: object) -> int:
    """Enough to bound a record batch: exact sizes would cost more than they save."""
    each = 3 if isinstance(value, str) else 1 if isinstance(value, bytes) else 24
    return len(value) * each if isinstance(value, str | bytes | list | tuple) else 8


def _publish(neighbour: Path, path: Path) -> None:
    descriptor = os.open(neighbour, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    neighbour.replace(path)
    fsync_folder(path.parent)


def _torn_characters(examples: list[Mapping[str, Any]]) -> list[str]:
    """One sentence for each text that UTF-8 cannot write."""
    return [
        f"line {example.get('line', '?')}: '{name}' holds half a character (a lone surrogate such as \\ud83d), "
        "which is no text; repair or remove the row."
        for example in examples
        for name, value in example.items()
        if isinstance(value, str) and not _is_whole(value)
    ][:20]


def _is_whole(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
