"""Negative log-likelihood of the gold labels, in nats: the proper score that calibration minimises."""

from __future__ import annotations

import numpy as np

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._relations import RelationOutcome
from burnish.metrics._resampling import mean_by_row, score_once
from burnish.metrics._single import SingleOutcome


class Nll(Metric):
    """Gives `nll`, 0 (best) … 36 nats. Single: a row. Multi: mean over the row's yes-or-no decisions."""

    judges = (SingleOutcome, RelationOutcome, MultiOutcome)
    is_better_high = False
    is_share = False

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        smallest = np.finfo(float).eps  # one impossible row must not make the mean infinite; as scikit-learn clips
        of_gold = np.clip(_of_gold(outcome), smallest, 1.0)
        return {"nll": mean_by_row(-np.log(of_gold).mean(axis=1), takes)}


def _of_gold(outcome: Outcome) -> Floats:
    """[N, 1] or [N, L] probability given to what is true."""
    if isinstance(outcome, MultiOutcome):
        return outcome.of_truth
    of_gold = outcome.probability_of_gold()
    assert of_gold is not None
    return of_gold[:, None]
