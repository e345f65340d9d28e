"""Recall of pictures by texts among the first 1, 5 and 10: how often a text finds the picture that it belongs to."""

from __future__ import annotations

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._pairings import PairingOutcome
from burnish.metrics._resampling import mean_by_row, score_once

PLACES = (1, 5, 10)


class PictureRecallAt10(Metric):
    """Gives `picture_recall_at_1`, `…_5` and `…_10`, 0 … 1: the mean over texts, each row counting alike.

    Hodosh, Young and Hockenmaier 2013, "Framing Image Description as a Ranking Task", JAIR 47, §4.1 (Recall@k).
    """

    judges = (PairingOutcome,)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        assert isinstance(outcome, PairingOutcome)
        return {f"picture_recall_at_{k}": mean_by_row(outcome.picture_recall(k), takes) for k in PLACES}
