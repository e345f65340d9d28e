"""Negative log-likelihood of the gold labels, in nats: the proper score that calibration minimises."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from burnish.metrics._contract import Floats, Ints, Metric, MultiOutcome, Outcome, SingleOutcome
from burnish.metrics._resampling import mean_by_row, score_once


class Nll(Metric):
    """Gives `nll`, 0 (best) … 36 nats. Single: a row. Multi: mean over the row's yes-or-no decisions."""

    judges: ClassVar[tuple[type, ...]] = (SingleOutcome, MultiOutcome)
    is_better_high: ClassVar[bool] = False

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        smallest = np.finfo(float).eps  # one impossible row must not make the mean infinite; as scikit-learn clips
        of_gold = np.clip(_of_gold(outcome), smallest, 1.0)
        return {"nll": mean_by_row(-np.log(of_gold).mean(axis=1), takes)}


def _of_gold(outcome: Outcome) -> Floats:
    """[N, 1] or [N, L] probability given to what is true."""
    if isinstance(outcome, MultiOutcome):
        return np.where(outcome.gold, outcome.probabilities, 1.0 - outcome.probabilities)
    assert isinstance(outcome, SingleOutcome)
    return np.take_along_axis(outcome.probabilities, outcome.gold[:, None], axis=1)
