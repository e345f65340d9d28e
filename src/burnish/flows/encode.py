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
from burnish.tasks._contract import Batch, Encoded, Reader, Task

MAX_NOTES = 10


@dataclass
class Lengths:
    """What encoding found out about a side: tokens of each row, rows cut, windowed or noted."""

    n_tokens: NDArray[np.int32]
    n_cut: int = 0
    n_windowed: int = 0
    n_noted: int = 0
    notes: list[str] = field(default_factory=list)


def encode_side(
    side: Ingested, task: Task, reader: Reader, labels: tuple[str, ...], listen: Listener
) -> tuple[list[Encoded], Lengths]:
    """All features of a small side, in memory."""
    found = Lengths(np.zeros(len(side.corpus), np.int32))
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
    found = Lengths(np.zeros(len(side.corpus), np.int32))
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
    found.n_cut += one.n_cut > 0
    found.n_windowed += len(one.features) > 1
    found.n_noted += bool(one.notes)
    if one.notes and len(found.notes) < MAX_NOTES:
        found.notes.append(f"{where}: {one.notes[0]}")


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

    def read(self, epoch: int, position: int) -> Batch:
        features = self.store.read(self._epochs(epoch)[position])
        varied = self.task.varied(features, generator(self.seed, "varied", epoch, position))
        return self.task.collate(varied, self.pad_id, self.n_labels)

    def fill(self) -> float:
        """Share of computed tokens that are real, in the first epoch."""
        return fill(self.store.lengths, self._epochs(0))

    @cached_property
    def _epochs(self) -> Callable[[int], Batches]:
        return lru_cache(maxsize=2)(self._plan)

    def _plan(self, epoch: int) -> Batches:
        return batches_of(self.store.lengths, self.tokens_per_batch, self.seed, epoch)
