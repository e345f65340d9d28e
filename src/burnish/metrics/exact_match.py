"""Share of questions whose answer equals a gold answer, case and punctuation left out."""

from __future__ import annotations

from burnish.metrics._answers import AnswerOutcome
from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._resampling import mean_by_row, score_once


class ExactMatch(Metric):
    """Gives `exact_match`, 0 … 1: the EM of SQuAD (Rajpurkar et al. 2016, §6.1), and of CMRC 2018 for Chinese."""

    judges = (AnswerOutcome,)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        assert isinstance(outcome, AnswerOutcome)
        return {"exact_match": mean_by_row(outcome.exact, takes)}
