"""Labelled pieces of a text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self, TypeVar

import numpy as np

from burnish.metrics._contract import Answers, Bools, Decisions, Floats, Ints, Outcome

Item = TypeVar("Item")


class Span(NamedTuple):
    """A labelled piece of text: characters start … end (end exclusive) of the user's own string."""

    start: int
    end: int
    label: str
    confidence: float = 1.0


@dataclass(frozen=True)
class SpanOutcome(Outcome):
    """Spans a row (N rows), and the word-level tags (IOB2) that they were read from.

    `tag_confidence[i][j]` is the calibrated probability of the predicted tag of word j of row i.
    `labels` are span labels, without B- and I-.
    """

    kind = "spans"
    headline = ("entity_f1", "entity_precision", "entity_recall", "token_f1", "ece", "coverage_at_target")
    grouped = ("entity_f1", "token_f1", "ece")
    answer_noun = "spans"

    gold: Sequence[Sequence[Span]]
    predicted: Sequence[Sequence[Span]]
    gold_tags: Sequence[Sequence[str]]
    predicted_tags: Sequence[Sequence[str]]
    tag_confidence: Sequence[Sequence[float]]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.gold)

    def take(self, rows: Ints) -> Self:
        def pick(column: Sequence[Sequence[Item]]) -> list[Sequence[Item]]:
            return [column[row] for row in rows]

        return type(self)(
            pick(self.gold),
            pick(self.predicted),
            pick(self.gold_tags),
            pick(self.predicted_tags),
            pick(self.tag_confidence),
            self.labels,
        )

    def gold_of(self, row: int) -> object:
        return bare(self.gold[row])

    def distance(self) -> Floats:
        """[N] spans missed or wrongly given, as a missed span has no probability."""
        pairs = zip(self.gold, self.predicted, strict=True)
        return np.array([len(bare(gold) ^ bare(found)) for gold, found in pairs], dtype=float)

    def is_wrong(self) -> Bools:
        return self.distance() > 0

    @classmethod
    def toy(cls) -> Self:
        spans = [[Span(0, 2, "a")]]
        return cls(spans, spans, [["B-a"]], [["B-a"]], [[1.0]], ("a",))

    def label_names(self) -> tuple[str, ...]:
        return self.labels

    def answers(self) -> Answers:
        gold = [bare(spans) for spans in self.gold]
        found = [
            (span.confidence, (span.start, span.end, span.label) in gold[row], row)
            for row, spans in enumerate(self.predicted)
            for span in spans
        ]
        confidence, is_correct, row_of = zip(*found, strict=True) if found else ((), (), ())
        return Answers(np.array(confidence, float), np.array(is_correct, bool), np.array(row_of, np.int64))

    def decisions(self) -> Decisions:
        """The predicted tag of each word."""
        row = np.repeat(np.arange(len(self)), [len(tags) for tags in self.gold_tags])
        confidence = [value for values in self.tag_confidence for value in values]
        pairs = zip(self.gold_tags, self.predicted_tags, strict=True)
        right = [mine == theirs for gold, found in pairs for mine, theirs in zip(gold, found, strict=True)]
        return Decisions(np.array(confidence, float), np.array(right, float), row)


def bare(spans: Iterable[Span]) -> set[tuple[int, int, str]]:
    """Spans as (start, end, label) without confidence: two are the same when all three are."""
    return {(span.start, span.end, span.label) for span in spans}
