"""Recall of texts by pictures among the first 1, 5 and 10: how often a picture finds a text that belongs to it."""

from __future__ import annotations

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._pairings import PairingOutcome
from burnish.metrics._resampling import mean_by_row, score_once

PLACES = (1, 5, 10)


class TextRecallAt10(Metric):
    """Gives `text_recall_at_1`, `…_5` and `…_10`, 0 … 1: the share of pictures that find one of their texts there."""

    judges = (PairingOutcome,)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        assert isinstance(outcome, PairingOutcome)
        return {f"text_recall_at_{k}": mean_by_row(outcome.text_recall(k), takes) for k in PLACES}
