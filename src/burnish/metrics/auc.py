"""Area under the ROC curve: how often a pair that matches scores above one that does not."""

from __future__ import annotations

import numpy as np

from burnish.metrics._contract import Metric, Outcome
from burnish.metrics._scores import ScoreOutcome


class Auc(Metric):
    """Gives `auc`, 0 … 1 (Hanley and McNeil 1982); gold above the middle of the scale is a match.

    The Mann–Whitney statistic, equal scores counting half. 1 where gold knows only one kind: there is no order to miss.
    """

    judges = (ScoreOutcome,)

    def score(self, outcome: Outcome) -> dict[str, float]:
        from scipy.stats import rankdata

        assert isinstance(outcome, ScoreOutcome)
        is_match = outcome.is_match
        n_match = int(is_match.sum())
        n_pairs = n_match * (len(outcome) - n_match)
        if not n_pairs:
            return {"auc": 1.0}
        above = float(np.sum(rankdata(outcome.predicted)[is_match])) - n_match * (n_match + 1) / 2
        return {"auc": above / n_pairs}
