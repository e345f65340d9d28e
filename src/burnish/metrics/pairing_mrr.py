"""Mean reciprocal rank of pictures by texts and texts by pictures: how far down each must look for the other."""

from __future__ import annotations

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._pairings import PairingOutcome
from burnish.metrics._resampling import mean_by_row, score_once


class PairingMrr(Metric):
    """Gives `pairing_mrr`, 0 … 1: the mean of 1 ÷ place of what belongs together, both directions counting alike."""

    judges = (PairingOutcome,)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        assert isinstance(outcome, PairingOutcome)
        return {"pairing_mrr": mean_by_row(outcome.reciprocal_rank(), takes)}
