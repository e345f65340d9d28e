"""Share of rows whose set of labels is exactly the gold set."""

from __future__ import annotations

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._resampling import mean_by_row, score_once


class SubsetAccuracy(Metric):
    """Gives `subset_accuracy`, 0 … 1: the strictest score of many labels a row."""

    judges = (MultiOutcome,)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        assert isinstance(outcome, MultiOutcome)
        is_right = (outcome.given == outcome.gold).all(axis=1)
        return {"subset_accuracy": mean_by_row(is_right.astype(float), takes)}
