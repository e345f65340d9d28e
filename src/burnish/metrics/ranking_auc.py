"""Area under the ROC curve of each row's ranking: how often a wanted thing stands above another, of all there are."""

from __future__ import annotations

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._recommended import RecommendedOutcome
from burnish.metrics._resampling import mean_by_row, score_once


class RankingAuc(Metric):
    """Gives `ranking_auc`, 0 … 1: the mean over rows (Wu et al. 2020, "MIND", ACL, §4.2); 0.5 is a random order.

    Over the whole catalogue, not over a sample of it (Krichene and Rendle 2020, KDD).
    """

    judges = (RecommendedOutcome,)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        assert isinstance(outcome, RecommendedOutcome)
        return {"ranking_auc": mean_by_row(outcome.auc, takes)}
