"""A ranking of a whole catalogue for each row: the first places, and how the wanted things stand among all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from burnish.metrics._contract import Bools, Floats, Ints, Outcome
from burnish.metrics._ranked import RankedOutcome
from burnish.metrics._resampling import ratio


@dataclass(frozen=True)
class RecommendedOutcome(Outcome):
    """`ranked`: the first 100 places of N rows; `auc` [N]: the share of pairs of a wanted thing and another, of all
    that could be recommended, that stand in the right order.
    """

    kind = "recommendations"
    headline = ("ndcg_at_10", "recall_at_10", "mrr", "ranking_auc", "ndcg_at_5")
    grouped = ("ndcg_at_10", "recall_at_10")

    ranked: RankedOutcome
    auc: Floats

    def __len__(self) -> int:
        return len(self.ranked)

    def take(self, rows: Ints) -> Self:
        return replace(self, ranked=self.ranked.take(rows), auc=self.auc[rows])

    def ranking(self) -> RankedOutcome:
        return self.ranked

    def gold_of(self, row: int) -> object:
        return self.ranked.gold_of(row)

    def distance(self) -> Floats:
        return self.ranked.distance()

    def is_wrong(self) -> Bools:
        return self.ranked.is_wrong()

    def words_of(self, row: int) -> tuple[list[str], list[str]]:
        return self.ranked.words_of(row)

    @classmethod
    def toy(cls) -> Self:
        return cls(RankedOutcome.toy(), np.ones(2))


def auc_of_places(places: Sequence[Ints], n_ranked: Ints) -> Floats:
    """[N] from the places, counted from 0 and all different, of the wanted things among the `n_ranked` [N] of each row.

    Of the pairs of a wanted thing and another, a wanted one at place p that i wanted ones precede stands below p - i
    others (the Mann–Whitney statistic, as in Wu et al. 2020, MIND, ACL, §4.2, "AUC"). 1 where there is no other.
    """
    n_each = np.array([len(one) for one in places], np.int64)
    n_above = np.array([float(np.sum(np.sort(one) - np.arange(len(one)))) for one in places])
    n_pairs = n_each * (n_ranked - n_each)
    return np.where(n_pairs > 0, 1.0 - ratio(n_above, n_pairs), 1.0)
