"""Answers: the units that a user acts on, each with a confidence, and right or wrong.

An answer is the top label of a row (single), a label that was given (multi), or a predicted span (spans). Risk,
coverage, precision at a threshold and span calibration are all about answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from burnish.metrics._contract import Bools, Floats, Ints, MultiOutcome, Outcome, SingleOutcome, Span, SpanOutcome


@dataclass(frozen=True)
class Answers:
    """A answers: confidence [A] in 0 … 1, is_correct [A], and the row [A] each belongs to."""

    confidence: Floats
    is_correct: Bools
    row: Ints

    def __len__(self) -> int:
        return len(self.row)


def answers_in(outcome: Outcome) -> Answers:
    """Every answer of an outcome, in the order of its rows."""
    if isinstance(outcome, SingleOutcome):
        return _top_labels(outcome)
    return _given_labels(outcome) if isinstance(outcome, MultiOutcome) else _spans(outcome)


def given_labels(outcome: MultiOutcome) -> Bools:
    """[N, L] which labels the model gives: those whose probability reaches its threshold."""
    return np.asarray(outcome.probabilities >= outcome.thresholds)


def bare(spans: Iterable[Span]) -> set[tuple[int, int, str]]:
    """Spans as (start, end, label) without confidence: two are the same when all three are."""
    return {(span.start, span.end, span.label) for span in spans}


def _top_labels(outcome: SingleOutcome) -> Answers:
    rows = np.arange(len(outcome))
    top = outcome.probabilities.argmax(axis=1)
    return Answers(outcome.probabilities[rows, top], top == outcome.gold, rows)


def _given_labels(outcome: MultiOutcome) -> Answers:
    row, label = np.nonzero(given_labels(outcome))
    return Answers(outcome.probabilities[row, label], outcome.gold[row, label], row)


def _spans(outcome: SpanOutcome) -> Answers:
    gold = [bare(spans) for spans in outcome.gold]
    found = [
        (span.confidence, (span.start, span.end, span.label) in gold[row], row)
        for row, spans in enumerate(outcome.predicted)
        for span in spans
    ]
    confidence, is_correct, row_of = zip(*found, strict=True) if found else ((), (), ())
    return Answers(np.array(confidence, float), np.array(is_correct, bool), np.array(row_of, np.int64))
