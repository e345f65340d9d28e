"""Brier score: squared distance of the probabilities from the truth."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from burnish.metrics._contract import Floats, Ints, Metric, MultiOutcome, Outcome, SingleOutcome
from burnish.metrics._resampling import mean_by_row, score_once


class Brier(Metric):
    """Gives `brier` (Brier 1950).

    Single: the sum over labels, 0 (best) … 2. Multi: the mean over the row's yes-or-no decisions, 0 (best) … 1.
    """

    judges: ClassVar[tuple[type, ...]] = (SingleOutcome, MultiOutcome)
    is_better_high: ClassVar[bool] = False

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        return {"brier": mean_by_row(_distance(outcome), takes)}


def _distance(outcome: Outcome) -> Floats:
    """[N] squared distance of each row, without a one-hot matrix: |p|² − 2 p_gold + 1."""
    if isinstance(outcome, MultiOutcome):
        return np.asarray(np.square(outcome.probabilities - outcome.gold).mean(axis=1))
    assert isinstance(outcome, SingleOutcome)
    of_gold = np.take_along_axis(outcome.probabilities, outcome.gold[:, None], axis=1)[:, 0]
    return np.asarray(np.square(outcome.probabilities).sum(axis=1) - 2.0 * of_gold + 1.0)
