"""Examples to features on disk, and features to the batches of an epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burnish.core.events import Listener, Progress
from burnish.core.seeds import generator
from burnish.data.features import FeatureStore, FeatureWriter
from burnish.data.order import Batches, batches_of, fill
from burnish.flows.ingest import Ingested
from burnish.models.reader import Reader
from burnish.tasks._contract import Collated, Encoded, Task

MAX_NOTES = 10


@dataclass
class Lengths:
    """What encoding found out about a side: tokens of each row, rows cut, windowed or noted."""

    n_tokens: NDArray[np.int32]
    is_cut: NDArray[np.bool_]
    is_windowed: NDArray[np.bool_]
    is_noted: NDArray[np.bool_]
    notes: list[tuple[int, str]] = field(default_factory=list)
    """The first notes, each with its row."""

    @classmethod
    def of(cls, n_rows: int) -> Lengths:
        """Nothing found out yet."""
        is_cut, is_windowed, is_noted = np.zeros((3, n_rows), bool)
        return cls(np.zeros(n_rows, np.int32), is_cut, is_windowed, is_noted)

    def part(self, start: int, stop: int) -> Lengths:
        """The same of the rows from `start` to `stop`."""
        rows = slice(start, stop)
        notes = [(row - start, note) for row, note in self.notes if start <= row < stop]
        return Lengths(self.n_tokens[rows], self.is_cut[rows], self.is_windowed[rows], self.is_noted[rows], notes)


def encode_side(
    side: Ingested, task: Task, reader: Reader, labels: tuple[str, ...], listen: Listener
) -> tuple[list[Encoded], Lengths]:
    """All features of a small side, in memory."""
    found = Lengths.of(len(side.corpus))
    encoded: list[Encoded] = []
    for examples in side.corpus.batches(task.rows_at_once):
        chunk = task.encode(examples, reader, labels)
        for example, one in zip(examples, chunk, strict=True):
            _note(found, len(encoded), one, side.where(example))
            encoded.append(one)
        listen(Progress("encode", len(encoded), len(side.corpus), "rows"))
    return encoded, found


def store_side(
    side: Ingested, task: Task, reader: Reader, labels: tuple[str, ...], folder: Path, listen: Listener
) -> tuple[FeatureStore, Lengths]:
    """All features of a side of any size, on disk."""
    found = Lengths.of(len(side.corpus))
    row = 0
    with FeatureWriter(folder) as writer:
        for examples in side.corpus.batches(task.rows_at_once):
            for example, one in zip(examples, task.encode(examples, reader, labels), strict=True):
                _note(found, row, one, side.where(example))
                for feature in one.features:
                    writer.add(row, feature)
                row += 1
            listen(Progress("encode", row, len(side.corpus), "rows"))
    return FeatureStore(folder), found


def _note(found: Lengths, row: int, one: Encoded, where: str) -> None:
    found.n_tokens[row] = one.n_tokens
    found.is_cut[row] = one.n_cut > 0
    found.is_windowed[row] = len(one.features) > 1
    found.is_noted[row] = bool(one.notes)
    if one.notes and len(found.notes) < MAX_NOTES:
        found.notes.append((row, f"{where}: {one.notes[0]}"))


@dataclass(frozen=True)
class StoredBatches:
    """Batches of a feature store. Order is a pure function of (seed, epoch); any batch can be read at once."""

    store: FeatureStore
    task: Task
    pad_id: int
    n_labels: int
    tokens_per_batch: int
    seed: int

    def n_batches(self, epoch: int) -> int:
        return len(self._epochs(epoch))

    def indices(self, epoch: int, position: int) -> NDArray[np.int64]:
        """Which features of the store a batch holds."""
        return self._epochs(epoch)[position]

    def read(self, epoch: int, position: int) -> Collated:
        features = self.store.read(self.indices(epoch, position))
        varied = self.task.varied(features, generator(self.seed, "varied", epoch, position))
        return self.task.collate(varied, self.pad_id, self.n_labels)

    def fill(self) -> float:
        """Share of computed tokens that are real, in the first epoch."""
        return fill(self.store.lengths, self._epochs(0))

    @cached_property
    def _epochs(self) -> Callable[[int], Batches]:
        return lru_cache(maxsize=2)(self._plan)

    def _plan(self, epoch: int) -> Batches:
        lengths, kinds = self.store.lengths, self.store.kinds
        drawn = self.task.drawn(kinds, self.seed, epoch)
        if drawn is None:
            return batches_of(lengths, self.tokens_per_batch, self.seed, epoch, kinds=kinds)
        batches = batches_of(lengths[drawn], self.tokens_per_batch, self.seed, epoch, kinds=kinds[drawn])
        return Batches(drawn[batches.order].astype(np.int32), batches.starts)
