"""Expected calibration error: how far confidence is from truth, in 15 equal-width bins."""

from __future__ import annotations

from typing import ClassVar

from burnish.metrics._contract import Floats, Ints, Metric, MultiOutcome, Outcome, SingleOutcome, SpanOutcome
from burnish.metrics._reliability import answered, bins_of, decisions_in
from burnish.metrics._resampling import score_once


class Ece(Metric):
    """Gives `ece`, 0 (best) … 1 (Guo et al. 2017, arXiv 1706.04599, §2).

    Single: of the top label. Multi: `ece` of every yes-or-no decision, and `given_ece` of the labels that were given,
    as the many sure "no" flatter the first. Spans: `ece` of the tag of every word, and `span_ece` of whole spans.
    A finite sample never measures 0: bins scatter, so that a few hundred rows read about 0.02 when nothing is wrong,
    and resamples scatter more than the sample does: the interval tends to lie a little high.
    """

    judges: ClassVar[tuple[type, ...]] = (SingleOutcome, MultiOutcome, SpanOutcome)
    is_better_high: ClassVar[bool] = False

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        scores = {"ece": bins_of(decisions_in(outcome), takes).error}
        if not isinstance(outcome, SingleOutcome):
            name = "given_ece" if isinstance(outcome, MultiOutcome) else "span_ece"
            scores[name] = bins_of(answered(outcome), takes).error
        return scores
