"""Spearman correlation of scores: do they put pairs in the same order."""

from __future__ import annotations

from burnish.metrics._contract import Metric, Outcome
from burnish.metrics._correlation import correlation
from burnish.metrics._scores import ScoreOutcome


class Spearman(Metric):
    """Gives `spearman`, −1 … 1: the correlation of ranks, equal values sharing their mean rank.

    What similarity benchmarks report (Reimers, Beyer and Gurevych 2016, COLING, §5); 0 where either side is constant.
    """

    judges = (ScoreOutcome,)
    is_share = False

    def score(self, outcome: Outcome) -> dict[str, float]:
        from scipy.stats import rankdata

        assert isinstance(outcome, ScoreOutcome)
        return {"spearman": correlation(rankdata(outcome.gold), rankdata(outcome.predicted))}
