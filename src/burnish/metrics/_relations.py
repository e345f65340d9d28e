"""One relation a row, between two marked entities; what it shares with other single labels is kept in one of those."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

import numpy as np

from burnish.metrics._contract import Answers, Bools, Decisions, Floats, Ints, Outcome
from burnish.metrics._single import SingleOutcome

_DIRECTED = re.compile(r"(.+)\((?:e1,e2|e2,e1)\)", re.DOTALL)


def relation_of(label: str) -> str:
    """The relation without its direction: `Cause-Effect` for `Cause-Effect(e2,e1)`; other labels as they are."""
    found = _DIRECTED.fullmatch(label)
    return found[1] if found else label


def has_direction(label: str) -> bool:
    """Whether a label says which of the two entities, in text order, plays which part, as SemEval's do."""
    return _DIRECTED.fullmatch(label) is not None


@dataclass(frozen=True)
class RelationOutcome(Outcome):
    """`of_labels` holds gold and probabilities; `no_relation` is the label that says that there is none."""

    kind = "relations"
    headline = ("semeval_f1", "accuracy", "ece", "coverage_at_target")
    grouped = ("semeval_f1", "accuracy", "ece")
    answer_noun = "rows"

    of_labels: SingleOutcome
    no_relation: str

    def __len__(self) -> int:
        return len(self.of_labels)

    def take(self, rows: Ints) -> Self:
        return type(self)(self.of_labels.take(rows), self.no_relation)

    def single(self) -> SingleOutcome:
        return self.of_labels

    def gold_of(self, row: int) -> object:
        return self.of_labels.gold_of(row)

    def distance(self) -> Floats:
        return self.of_labels.distance()

    def is_wrong(self) -> Bools:
        return self.of_labels.is_wrong()

    def words_of(self, row: int) -> tuple[list[str], list[str]]:
        return self.of_labels.words_of(row)

    @classmethod
    def toy(cls) -> Self:
        return cls(SingleOutcome(np.array([0, 1]), np.eye(2), ("a(e1,e2)", "none")), "none")

    def label_names(self) -> tuple[str, ...]:
        return self.of_labels.labels

    def answers(self) -> Answers:
        return self.of_labels.answers()

    def decisions(self) -> Decisions:
        return self.of_labels.decisions()

    def probability_of_gold(self) -> Floats:
        return self.of_labels.probability_of_gold()
