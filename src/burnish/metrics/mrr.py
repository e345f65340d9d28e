"""Mean reciprocal rank: how far down a reader must look for the first right answer."""

from __future__ import annotations

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._ranked import RankedOutcome
from burnish.metrics._recommended import RecommendedOutcome
from burnish.metrics._resampling import mean_by_row, score_once


class Mrr(Metric):
    """Gives `mrr`, 0 … 1: the mean of 1 ÷ place of the first right answer among the first 100, 0 where there is none.

    Voorhees 1999, "The TREC-8 Question Answering Track Report", §2.
    """

    judges = (RankedOutcome, RecommendedOutcome)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        ranked = outcome.ranking()
        assert ranked is not None, "an outcome of rankings"
        return {"mrr": mean_by_row(ranked.reciprocal_rank(), takes)}
