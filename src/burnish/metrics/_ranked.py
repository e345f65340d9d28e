"""A ranking for each row: what was found for a query, best first, and what should have been found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from burnish.metrics._contract import Bools, Floats, Ints, Outcome

DEPTH = 100  # places of a ranking that are looked at
WORDS_SHOWN = 3  # answers of a row that a reader is shown


@dataclass(frozen=True)
class RankedOutcome(Outcome):
    """is_right [N, K]: whether what stands at each place, best first, is wanted; n_gold [N]: how many things are.

    `gold` names what is wanted of each row, for comparisons. `gold_texts` and `found_texts` are those and the first
    few found as a reader knows them.
    """

    kind = "ranking"
    headline = ("recall_at_1", "recall_at_5", "recall_at_10", "mrr", "ndcg_at_10")
    grouped = ("recall_at_1", "mrr")

    is_right: Bools
    n_gold: Ints
    gold: Sequence[tuple[str, ...]] = ()
    gold_texts: Sequence[Sequence[str]] = field(default=(), repr=False)
    found_texts: Sequence[Sequence[str]] = field(default=(), repr=False)

    @classmethod
    def of(cls, gold: Sequence[Sequence[str]], ranked: Sequence[Sequence[str]]) -> Self:
        """From the names wanted and the names ranked of each row; they also serve as texts."""
        is_right = np.zeros((len(gold), DEPTH), bool)
        for row, (wanted, found) in enumerate(zip(gold, ranked, strict=True)):
            right = set(wanted)
            is_right[row, : min(len(found), DEPTH)] = [name in right for name in found[:DEPTH]]
        n_gold = np.array([len(set(wanted)) for wanted in gold], np.int64)
        shown = [list(found[:WORDS_SHOWN]) for found in ranked]
        return cls(is_right, n_gold, [tuple(sorted(set(wanted))) for wanted in gold], list(gold), shown)

    def __len__(self) -> int:
        return len(self.n_gold)

    def take(self, rows: Ints) -> Self:
        def some(column: Sequence[Any]) -> Sequence[Any]:
            return [column[row] for row in rows.tolist()] if len(column) else ()

        texts = some(self.gold_texts), some(self.found_texts)
        return type(self)(self.is_right[rows], self.n_gold[rows], some(self.gold), *texts)

    def reciprocal_rank(self) -> Floats:
        """[N] 1 ÷ place of the first right one, counted from 1; 0 where there is none."""
        first = self.is_right.argmax(axis=1)
        return np.where(self.is_right.any(axis=1), 1.0 / (first + 1), 0.0)

    def ranking(self) -> RankedOutcome:
        return self

    def gold_of(self, row: int) -> object:
        return self.gold[row]

    def distance(self) -> Floats:
        return 1.0 - self.reciprocal_rank()

    def is_wrong(self) -> Bools:
        return ~self.is_right[:, 0]

    def words_of(self, row: int) -> tuple[list[str], list[str]]:
        return list(self.gold_texts[row]), list(self.found_texts[row])

    @classmethod
    def toy(cls) -> Self:
        return cls.of([["a"], ["b"]], [["a", "b"], ["b", "a"]])
