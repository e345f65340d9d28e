"""Normalised discounted cumulative gain of the first 5 and 10: right answers count more the higher they stand."""

from __future__ import annotations

import numpy as np

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._ranked import DEPTH, RankedOutcome
from burnish.metrics._recommended import RecommendedOutcome
from burnish.metrics._resampling import mean_by_row, ratio, score_once

PLACES = (5, 10)


class NdcgAt10(Metric):
    """Gives `ndcg_at_5` and `ndcg_at_10`, 0 … 1, the mean over queries.

    A right answer at place r, counted from 1, gains 1 ÷ log2(r + 1); the sum is divided by that of the best order
    (Järvelin and Kekäläinen 2002, TOIS 20(4), §2, with gains of 0 and 1).
    """

    judges = (RankedOutcome, RecommendedOutcome)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        ranked = outcome.ranking()
        assert ranked is not None, "an outcome of rankings"
        return {f"ndcg_at_{k}": mean_by_row(_ndcg(ranked, k), takes) for k in PLACES}


def _ndcg(outcome: RankedOutcome, k: int) -> Floats:
    gains = 1.0 / np.log2(np.arange(DEPTH) + 2)
    best = np.concatenate([[0.0], np.cumsum(gains)])[np.minimum(outcome.n_gold, k)]
    return ratio(outcome.is_right[:, :k] @ gains[:k], best)
