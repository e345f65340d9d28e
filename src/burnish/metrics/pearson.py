"""Pearson correlation of scores: do they rise together, and in proportion."""

from __future__ import annotations

from burnish.metrics._contract import Metric, Outcome
from burnish.metrics._correlation import correlation
from burnish.metrics._scores import ScoreOutcome


class Pearson(Metric):
    """Gives `pearson`, −1 … 1; 0 where either side is constant."""

    judges = (ScoreOutcome,)
    is_share = False

    def score(self, outcome: Outcome) -> dict[str, float]:
        assert isinstance(outcome, ScoreOutcome)
        return {"pearson": correlation(outcome.gold, outcome.predicted)}
