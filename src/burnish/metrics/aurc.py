"""Area under the risk–coverage curve: how well confidence puts right answers before wrong ones."""

from __future__ import annotations

import numpy as np

from burnish.metrics._answers import AnswerOutcome
from burnish.metrics._contract import Answers, Floats, Ints, Metric, Outcome
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._relations import RelationOutcome
from burnish.metrics._resampling import score_once
from burnish.metrics._single import SingleOutcome
from burnish.metrics._spans import SpanOutcome


class Aurc(Metric):
    """Gives `aurc`, 0 (best) … 1 (Geifman, Uziel and El-Yaniv 2019, arXiv 1805.08206).

    The mean, over every number k of answers kept, of the error rate among the k most confident. Answers of equal
    confidence have no order: each of their orders is averaged in closed form. Multi and spans: over the labels given
    and the spans found, so what was missed does not show here. Without any answer it is 0.
    """

    judges = (SingleOutcome, RelationOutcome, MultiOutcome, SpanOutcome, AnswerOutcome)
    is_better_high = False

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        answers = outcome.answers()
        assert answers is not None
        return {"aurc": _areas(answers, takes) if len(answers) else np.zeros(len(takes))}


def _areas(answers: Answers, takes: Ints) -> Floats:
    order = np.argsort(-answers.confidence, kind="stable")
    confidence, row = answers.confidence[order], answers.row[order]
    is_wrong = ~answers.is_correct[order]
    starts = np.flatnonzero(np.r_[True, np.diff(confidence) != 0])  # where each group of equal confidence begins
    most = int((takes @ np.bincount(row, minlength=takes.shape[1])).max())
    harmonic = np.r_[0.0, np.cumsum(1.0 / np.arange(1, most + 1))]
    areas = np.empty(len(takes))
    for resample, taken in enumerate(takes):
        n = np.add.reduceat(taken[row], starts)
        n_wrong = np.add.reduceat(taken[row] * is_wrong, starts)
        areas[resample] = _area(n, n_wrong, harmonic)
    return areas


def _area(n: Ints, n_wrong: Ints, harmonic: Floats) -> float:
    """Area from the size and the errors of each group of equal confidence, most confident first.

    Inside a group of n with share e wrong, after n0 answers with w0 wrong, the expected risk at n0 + j is
    (w0 + e j) / (n0 + j) = e + (w0 − e n0) / (n0 + j); the sum over j = 1 … n takes two harmonic numbers.
    """
    ends = n.cumsum()
    before, wrong_before = ends - n, n_wrong.cumsum() - n_wrong
    share = n_wrong / np.maximum(n, 1)
    risk = share * n + (wrong_before - share * before) * (harmonic[ends] - harmonic[before])
    return float(risk.sum() / max(int(ends[-1]), 1))
