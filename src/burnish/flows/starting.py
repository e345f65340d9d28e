"""Where a new head starts: the batches of words and first rows that it may look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from burnish.bundle.core import TOKENS_PER_BATCH
from burnish.data.features import cost_of
from burnish.data.order import sorted_batches
from burnish.models.heads._contract import Seen
from burnish.models.network import Network
from burnish.models.reader import Reader
from burnish.tasks._contract import Example, Task

ROWS_PER_LABEL = 64
"""Most rows of a label that a head starts from: more would cost time and hardly move a mean."""


@dataclass(frozen=True)
class Known:
    """What there is before any training: a task that may be told its labels in words, and training rows, if any."""

    task: Task
    labels: tuple[str, ...]
    reader: Reader
    rows: Iterable[Example] = ()

    def seen(self) -> Iterator[Seen]:
        """Words and first rows of each label as batches of like length. Nothing is encoded before it is read."""
        examples = [*self.task.told_examples(), *self._first_rows()]
        encoded = self.task.encode(examples, self.reader, self.labels) if examples else []
        features = [feature for one in encoded for feature in one.features]
        lengths = np.asarray([cost_of(feature) for feature in features], np.int32)
        for indices in sorted_batches(lengths, TOKENS_PER_BATCH):
            collated = self.task.collate([features[i] for i in indices], self.reader.pad_id, len(self.labels))
            batch = collated.to("cpu")  # where a new network is
            yield Seen(batch.inputs, batch.targets)

    def _first_rows(self) -> Sequence[Example]:
        """The first rows of each label; a row of several labels counts while one of them has too few."""
        count: Counter[str] = Counter()
        kept = []
        for example in self.rows:
            labels = set(self.task.labels_of(example))
            if any(count[label] < ROWS_PER_LABEL for label in labels):
                count.update(labels)
                kept.append(example)
        return kept


def start_head(network: Network, known: Known) -> None:
    """Let the task's head put its new weights where it says that they start."""
    known.task.head_part.start(network, known.seen())
