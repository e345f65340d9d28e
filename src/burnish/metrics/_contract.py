"""What is judged, and what every metric does. Shapes: N rows, L labels, W words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from burnish.core.parts import Part

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Item = TypeVar("Item")


class Span(NamedTuple):
    """A labelled piece of text: characters start … end (end exclusive) of the user's own string."""

    start: int
    end: int
    label: str
    confidence: float = 1.0


@dataclass(frozen=True)
class SingleOutcome:
    """One label a row: gold [N] label indices, probabilities [N, L] (calibrated), labels L names."""

    gold: Ints
    probabilities: Floats
    labels: tuple[str, ...]

    def take(self, rows: Ints) -> SingleOutcome:
        return SingleOutcome(self.gold[rows], self.probabilities[rows], self.labels)

    def __len__(self) -> int:
        return len(self.gold)


@dataclass(frozen=True)
class MultiOutcome:
    """Any number of labels a row: gold [N, L], probabilities [N, L], thresholds [L] from which a label is given."""

    gold: Bools
    probabilities: Floats
    thresholds: Floats
    labels: tuple[str, ...]

    def take(self, rows: Ints) -> MultiOutcome:
        return MultiOutcome(self.gold[rows], self.probabilities[rows], self.thresholds, self.labels)

    def __len__(self) -> int:
        return len(self.gold)


@dataclass(frozen=True)
class SpanOutcome:
    """Spans a row (N rows), and the word-level tags (IOB2) that they were read from.

    `tag_confidence[i][j]` is the calibrated probability of the predicted tag of word j of row i.
    `labels` are span labels, without B- and I-.
    """

    gold: Sequence[Sequence[Span]]
    predicted: Sequence[Sequence[Span]]
    gold_tags: Sequence[Sequence[str]]
    predicted_tags: Sequence[Sequence[str]]
    tag_confidence: Sequence[Sequence[float]]
    labels: tuple[str, ...]

    def take(self, rows: Ints) -> SpanOutcome:
        def pick(column: Sequence[Sequence[Item]]) -> list[Sequence[Item]]:
            return [column[row] for row in rows]

        return SpanOutcome(
            pick(self.gold),
            pick(self.predicted),
            pick(self.gold_tags),
            pick(self.predicted_tags),
            pick(self.tag_confidence),
            self.labels,
        )

    def __len__(self) -> int:
        return len(self.gold)


Outcome = SingleOutcome | MultiOutcome | SpanOutcome


class Metric(Part, ABC):
    """A score, or a few that belong together, of the outcome types in `judges`."""

    judges: ClassVar[tuple[type, ...]]
    is_better_high: ClassVar[bool] = True

    @abstractmethod
    def score(self, outcome: Outcome) -> dict[str, float]:
        """Name → value. The part's own name is among the names: that one can choose the best epoch."""
