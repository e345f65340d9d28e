"""Mean absolute error of scores, as a share of the scale."""

from __future__ import annotations

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._resampling import mean_by_row, score_once
from burnish.metrics._scores import ScoreOutcome


class Mae(Metric):
    """Gives `mae`, 0 (best) … 1: 0.1 on a scale of 0 to 5 is half a point."""

    judges = (ScoreOutcome,)
    is_better_high = False
    is_share = False

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        return {"mae": mean_by_row(outcome.distance(), takes)}
