"""Share of yes-or-no decisions, one for each row and label, that are wrong."""

from __future__ import annotations

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._resampling import mean_by_row, score_once


class HammingLoss(Metric):
    """Gives `hamming_loss`, 0 (best) … 1."""

    judges = (MultiOutcome,)
    is_better_high = False

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        assert isinstance(outcome, MultiOutcome)
        wrong = (outcome.given != outcome.gold).mean(axis=1)
        return {"hamming_loss": mean_by_row(wrong, takes)}
