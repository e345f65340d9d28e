"""How much answers share with the nearest gold answer: F1 of words, of characters in Chinese."""

from __future__ import annotations

from burnish.metrics._answers import AnswerOutcome
from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._resampling import mean_by_row, score_once


class AnswerF1(Metric):
    """Gives `answer_f1`, 0 … 1: the mean F1 of SQuAD (Rajpurkar et al. 2016, §6.1), and of CMRC 2018 for Chinese.

    A question without an answer scores 1 when none is given and 0 else (SQuAD 2.0, Rajpurkar et al. 2018).
    """

    judges = (AnswerOutcome,)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        assert isinstance(outcome, AnswerOutcome)
        return {"answer_f1": mean_by_row(outcome.overlap, takes)}
