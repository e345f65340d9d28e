"""One label a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from burnish.metrics._contract import Answers, Bools, Decisions, Floats, Ints, Outcome


@dataclass(frozen=True)
class SingleOutcome(Outcome):
    """gold [N] label indices, probabilities [N, L] (calibrated), labels L names."""

    kind = "single"
    headline = ("accuracy", "macro_f1", "ece", "coverage_at_target")
    grouped = ("accuracy", "macro_f1", "ece")
    answer_noun = "rows"

    gold: Ints
    probabilities: Floats
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.gold)

    def take(self, rows: Ints) -> Self:
        return type(self)(self.gold[rows], self.probabilities[rows], self.labels)

    @property
    def predicted(self) -> Ints:
        """[N] index of the most probable label."""
        return np.asarray(self.probabilities.argmax(axis=1))

    def gold_of(self, row: int) -> object:
        return self.labels[self.gold[row]]

    def distance(self) -> Floats:
        return -self.probability_of_gold()

    def is_wrong(self) -> Bools:
        return np.asarray(self.predicted != self.gold)

    def words_of(self, row: int) -> tuple[list[str], list[str]]:
        return [self.labels[self.gold[row]]], [self.labels[int(self.probabilities[row].argmax())]]

    @classmethod
    def toy(cls) -> Self:
        return cls(np.array([0, 1]), np.eye(2), ("a", "b"))

    def label_names(self) -> tuple[str, ...]:
        return self.labels

    def single(self) -> Self:
        return self

    def answers(self) -> Answers:
        rows, top = np.arange(len(self)), self.predicted
        return Answers(self.probabilities[rows, top], top == self.gold, rows)

    def decisions(self) -> Decisions:
        """The top label of each row."""
        answers = self.answers()
        return Decisions(answers.confidence, answers.is_correct.astype(float), answers.row)

    def probability_of_gold(self) -> Floats:
        return np.asarray(self.probabilities[np.arange(len(self)), self.gold])
