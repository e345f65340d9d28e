"""Any number of labels a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from burnish.metrics._contract import Answers, Bools, Decisions, Floats, Ints, Outcome


@dataclass(frozen=True)
class MultiOutcome(Outcome):
    """gold [N, L], probabilities [N, L], thresholds [L] from which a label is given."""

    kind = "multi"
    headline = ("micro_f1", "macro_f1", "subset_accuracy", "ece", "coverage_at_target")
    grouped = ("micro_f1", "subset_accuracy", "ece")
    answer_noun = "given labels"

    gold: Bools
    probabilities: Floats
    thresholds: Floats
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.gold)

    def take(self, rows: Ints) -> Self:
        return type(self)(self.gold[rows], self.probabilities[rows], self.thresholds, self.labels)

    @property
    def given(self) -> Bools:
        """[N, L] which labels the model gives: those whose probability reaches its threshold."""
        return np.asarray(self.probabilities >= self.thresholds)

    @property
    def of_truth(self) -> Floats:
        """[N, L] probability given to what is true: that the label applies, or that it does not."""
        return np.where(self.gold, self.probabilities, 1.0 - self.probabilities)

    def gold_of(self, row: int) -> object:
        return frozenset(self.labels[label] for label in np.flatnonzero(self.gold[row]))

    def distance(self) -> Floats:
        return -self.probability_of_gold()

    def is_wrong(self) -> Bools:
        return np.asarray((self.given != self.gold).any(axis=1))

    def words_of(self, row: int) -> tuple[list[str], list[str]]:
        gold, given = (np.flatnonzero(cells) for cells in (self.gold[row], self.probabilities[row] >= self.thresholds))
        return [self.labels[label] for label in gold], [self.labels[label] for label in given]

    @classmethod
    def toy(cls) -> Self:
        return cls(np.eye(2, dtype=bool), np.eye(2), np.full(2, 0.5), ("a", "b"))

    def label_names(self) -> tuple[str, ...]:
        return self.labels

    def thresholded(self) -> tuple[Floats, Bools]:
        return self.probabilities, self.gold

    def answers(self) -> Answers:
        row, label = np.nonzero(self.given)
        return Answers(self.probabilities[row, label], self.gold[row, label], row)

    def decisions(self) -> Decisions:
        """Every label of every row, given or not, with its own probability: stricter than folding "no" onto "yes"."""
        row = np.repeat(np.arange(len(self)), len(self.labels))
        return Decisions(self.probabilities.ravel(), self.gold.ravel().astype(float), row)

    def probability_of_gold(self) -> Floats:
        """[N] of the least probable true decision."""
        return np.asarray(self.of_truth.min(axis=1))
