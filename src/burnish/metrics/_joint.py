"""Several tasks of one model, judged together: each row belongs to one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from burnish.metrics._contract import Bools, Floats, Ints, Outcome
from burnish.metrics._single import SingleOutcome


@dataclass(frozen=True)
class JointOutcome(Outcome):
    """`parts`: task → its outcome; `best_by`: task → the score that it is judged by.

    Row n is row `at[n]` of the part number `part[n]`; both are [N].
    """

    kind = "joint"
    headline = ("task_mean",)
    grouped = ("task_mean",)

    parts: Mapping[str, Outcome]
    best_by: Mapping[str, str]
    part: Ints
    at: Ints

    def __len__(self) -> int:
        return len(self.part)

    def take(self, rows: Ints) -> Self:
        part, at, taken = self.part[rows], np.zeros(len(rows), np.int64), {}
        for number, (name, outcome) in enumerate(self.parts.items()):
            own = part == number
            taken[name] = outcome.take(self.at[rows][own])
            at[own] = np.arange(own.sum())
        return type(self)(taken, self.best_by, part, at)

    def gold_of(self, row: int) -> object:
        name, outcome, at = self._place(row)
        return name, outcome.gold_of(at)

    def distance(self) -> Floats:
        return np.asarray(self._gathered([outcome.distance() for outcome in self.parts.values()]), float)

    def is_wrong(self) -> Bools:
        return np.asarray(self._gathered([outcome.is_wrong() for outcome in self.parts.values()]), bool)

    def words_of(self, row: int) -> tuple[list[str], list[str]]:
        _, outcome, at = self._place(row)
        return outcome.words_of(at)

    def members(self) -> Mapping[str, Outcome]:
        return self.parts

    @classmethod
    def toy(cls) -> Self:
        return cls({"sentiment": SingleOutcome.toy()}, {"sentiment": "accuracy"}, np.zeros(2, np.int64), np.arange(2))

    def _place(self, row: int) -> tuple[str, Outcome, int]:
        name = list(self.parts)[self.part[row]]
        return name, self.parts[name], int(self.at[row])

    def _gathered(self, columns: Sequence[Floats | Bools]) -> Floats:
        """[N] one column of each part, in the order of the rows."""
        values = np.zeros(len(self))
        for number, column in enumerate(columns):
            own = self.part == number
            values[own] = column[self.at[own]]
        return values
