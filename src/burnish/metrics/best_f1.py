"""F1 of "it matches" at the threshold that makes it best: what scores could decide at most."""

from __future__ import annotations

import numpy as np

from burnish.metrics._contract import Metric, Outcome
from burnish.metrics._resampling import ratio
from burnish.metrics._scores import ScoreOutcome


class BestF1(Metric):
    """Gives `best_f1`, 0 … 1; gold above the middle of the scale is a match.

    The threshold is the judged rows' own, so the score is an upper bound: `is_match` in answers uses dev's threshold.
    1 where nothing is a match.
    """

    judges = (ScoreOutcome,)

    def score(self, outcome: Outcome) -> dict[str, float]:
        assert isinstance(outcome, ScoreOutcome)
        n_match = int(outcome.is_match.sum())
        if not n_match:
            return {"best_f1": 1.0}
        order = np.argsort(-outcome.predicted, kind="stable")
        falling = outcome.predicted[order]
        ends = np.flatnonzero(np.r_[np.diff(falling) != 0, True])  # equal scores fall on the same side
        n_right = np.cumsum(outcome.is_match[order])[ends]
        return {"best_f1": float(ratio(2 * n_right, ends + 1 + n_match).max())}
