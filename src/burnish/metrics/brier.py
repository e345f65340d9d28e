"""Brier score: squared distance of the probabilities from the truth."""

from __future__ import annotations

import numpy as np

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._relations import RelationOutcome
from burnish.metrics._resampling import mean_by_row, score_once
from burnish.metrics._single import SingleOutcome


class Brier(Metric):
    """Gives `brier` (Brier 1950).

    Single: the sum over labels, 0 (best) … 2. Multi: the mean over the row's yes-or-no decisions, 0 (best) … 1.
    """

    judges = (SingleOutcome, RelationOutcome, MultiOutcome)
    is_better_high = False

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        return {"brier": mean_by_row(_distance(outcome), takes)}


def _distance(outcome: Outcome) -> Floats:
    """[N] squared distance of each row, without a one-hot matrix: |p|² − 2 p_gold + 1."""
    if isinstance(outcome, MultiOutcome):
        return np.asarray(np.square(outcome.probabilities - outcome.gold).mean(axis=1))
    single = outcome.single()
    assert single is not None
    return np.asarray(np.square(single.probabilities).sum(axis=1) - 2.0 * single.probability_of_gold() + 1.0)
