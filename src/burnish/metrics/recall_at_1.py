"""Recall among the first 1, 5 and 10: what share of the right answers a reader meets there."""

from __future__ import annotations

import numpy as np

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._ranked import RankedOutcome
from burnish.metrics._recommended import RecommendedOutcome
from burnish.metrics._resampling import mean_by_row, ratio, score_once

PLACES = (1, 5, 10)


class RecallAt1(Metric):
    """Gives `recall_at_1`, `recall_at_5` and `recall_at_10`, 0 … 1, the mean over queries.

    Right answers among the first k ÷ the smaller of k and all right answers, so that 1 can be reached where a query
    has more right answers than places (Thakur et al. 2021, "BEIR", arXiv 2104.08663, §5, "capped recall").
    """

    judges = (RankedOutcome, RecommendedOutcome)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        ranked = outcome.ranking()
        assert ranked is not None, "an outcome of rankings"
        return {f"recall_at_{k}": mean_by_row(_recall(ranked, k), takes) for k in PLACES}


def _recall(outcome: RankedOutcome, k: int) -> Floats:
    return ratio(outcome.is_right[:, :k].sum(axis=1), np.minimum(outcome.n_gold, k))
