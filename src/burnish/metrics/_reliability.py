"""Reliability: how often answers of a confidence are right, in equal-width bins (Naeini 2015; Guo 2017, §2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from burnish.metrics._answers import answers_in
from burnish.metrics._contract import Floats, Ints, MultiOutcome, Outcome, SingleOutcome
from burnish.metrics._resampling import ratio, sums_by

N_BINS = 15  # the number that Guo 2017 reports with, so that figures compare


@dataclass(frozen=True)
class Decisions:
    """D decisions: the probability given to each [D], whether it came true [D], and the row [D] of each."""

    probability: Floats
    came_true: Floats
    row: Ints


@dataclass(frozen=True)
class Bins:
    """For R resamples: how many decisions lie in each of the bins, and the sums of probability and truth there."""

    n: Floats
    probability: Floats
    truth: Floats

    @property
    def error(self) -> Floats:
        """[R] expected calibration error: mean |truth − probability| over bins, weighed by their size."""
        return ratio(np.abs(self.truth - self.probability).sum(axis=1), self.n.sum(axis=1))


def decisions_in(outcome: Outcome) -> Decisions:
    """What calibration is measured on.

    Single: the top label of each row. Multi: every label of every row, given or not, with its own probability, which
    is stricter than folding "no" decisions onto "yes". Spans: the predicted tag of each word.
    """
    if isinstance(outcome, SingleOutcome):
        return answered(outcome)
    if isinstance(outcome, MultiOutcome):
        row = np.repeat(np.arange(len(outcome)), len(outcome.labels))
        return Decisions(outcome.probabilities.ravel(), outcome.gold.ravel().astype(float), row)
    row = np.repeat(np.arange(len(outcome)), [len(tags) for tags in outcome.gold_tags])
    confidence = [value for values in outcome.tag_confidence for value in values]
    pairs = zip(outcome.gold_tags, outcome.predicted_tags, strict=True)
    right = [mine == theirs for gold, found in pairs for mine, theirs in zip(gold, found, strict=True)]
    return Decisions(np.array(confidence, float), np.array(right, float), row)


def answered(outcome: Outcome) -> Decisions:
    """The answers of an outcome as decisions: labels given, or spans found."""
    answers = answers_in(outcome)
    return Decisions(answers.confidence, answers.is_correct.astype(float), answers.row)


def bins_of(decisions: Decisions, takes: Ints, n_bins: int = N_BINS) -> Bins:
    """Decisions in bins (0, 1/n], (1/n, 2/n], …; a probability of 0 lies in the first."""
    index = np.ceil(decisions.probability * n_bins).astype(np.int64) - 1
    group = np.clip(index, 0, n_bins - 1)
    return Bins(
        sums_by(group, n_bins, takes, decisions.row),
        sums_by(group, n_bins, takes, decisions.row, decisions.probability),
        sums_by(group, n_bins, takes, decisions.row, decisions.came_true),
    )
