"""Share of rows whose top label is the gold label."""

from __future__ import annotations

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._relations import RelationOutcome
from burnish.metrics._resampling import mean_by_row, score_once
from burnish.metrics._single import SingleOutcome


class Accuracy(Metric):
    """Gives `accuracy`, 0 … 1."""

    judges = (SingleOutcome, RelationOutcome)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        is_right = ~outcome.is_wrong()
        return {"accuracy": mean_by_row(is_right.astype(float), takes)}
