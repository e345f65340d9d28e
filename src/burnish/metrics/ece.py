"""Expected calibration error: how far confidence is from truth, in 15 equal-width bins."""

from __future__ import annotations

from burnish.metrics._answers import AnswerOutcome
from burnish.metrics._contract import Answers, Decisions, Floats, Ints, Metric, Outcome
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._relations import RelationOutcome
from burnish.metrics._reliability import bins_of
from burnish.metrics._resampling import score_once
from burnish.metrics._single import SingleOutcome
from burnish.metrics._spans import SpanOutcome

OF_ANSWERS = {MultiOutcome: "given_ece", SpanOutcome: "span_ece"}


class Ece(Metric):
    """Gives `ece`, 0 (best) … 1 (Guo et al. 2017, arXiv 1706.04599, §2).

    Single: of the top label. Multi: `ece` of every yes-or-no decision, and `given_ece` of the labels that were given,
    as the many sure "no" flatter the first. Spans: `ece` of the tag of every word, and `span_ece` of whole spans.
    Answers: of being exactly right.
    A finite sample never measures 0: bins scatter, so that a few hundred rows read about 0.02 when nothing is wrong,
    and resamples scatter more than the sample does: the interval tends to lie a little high.
    """

    judges = (SingleOutcome, RelationOutcome, MultiOutcome, SpanOutcome, AnswerOutcome)
    is_better_high = False

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        decisions, answers = outcome.decisions(), outcome.answers()
        assert decisions is not None
        assert answers is not None
        scores = {"ece": bins_of(decisions, takes).error}
        if name := OF_ANSWERS.get(type(outcome)):
            scores[name] = bins_of(_as_decisions(answers), takes).error
        return scores


def _as_decisions(answers: Answers) -> Decisions:
    return Decisions(answers.confidence, answers.is_correct.astype(float), answers.row)
