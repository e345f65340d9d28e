"""Share of rows whose top label is the gold label."""

from __future__ import annotations

from typing import ClassVar

from burnish.metrics._contract import Floats, Ints, Metric, Outcome, SingleOutcome
from burnish.metrics._resampling import mean_by_row, score_once


class Accuracy(Metric):
    """Gives `accuracy`, 0 … 1."""

    judges: ClassVar[tuple[type, ...]] = (SingleOutcome,)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        assert isinstance(outcome, SingleOutcome)
        is_right = outcome.probabilities.argmax(axis=1) == outcome.gold
        return {"accuracy": mean_by_row(is_right.astype(float), takes)}
