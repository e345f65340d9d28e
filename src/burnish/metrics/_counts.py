"""Counts behind precision, recall and F1: right, predicted and gold, by label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from burnish.metrics._contract import Floats, Ints, Outcome
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._resampling import ratio, sums_by
from burnish.metrics._single import SingleOutcome
from burnish.metrics._spans import SpanOutcome, bare


@dataclass(frozen=True)
class Counts:
    """For R resamples and L labels: how many answers were right, given, and wanted; each [R, L]."""

    n_right: Floats
    n_predicted: Floats
    n_gold: Floats

    @property
    def precision(self) -> Floats:
        return ratio(self.n_right, self.n_predicted)

    @property
    def recall(self) -> Floats:
        return ratio(self.n_right, self.n_gold)

    @property
    def f1(self) -> Floats:
        """2 right / (predicted + gold): the harmonic mean of precision and recall, 0 when nothing is right."""
        return ratio(2 * self.n_right, self.n_predicted + self.n_gold)

    def pooled(self) -> Counts:
        """All labels as one [R, 1]: what micro averages are made of."""
        return Counts(*(part.sum(axis=1, keepdims=True) for part in (self.n_right, self.n_predicted, self.n_gold)))

    def macro(self, values: Floats) -> Floats:
        """[R] mean of `values` [R, L] over the labels that occur in gold or predictions (scikit-learn's default)."""
        occurs = (self.n_predicted + self.n_gold) > 0
        return ratio((values * occurs).sum(axis=1), occurs.sum(axis=1))

    def weighted(self, values: Floats) -> Floats:
        """[R] mean of `values` [R, L], each label weighed by its gold count."""
        return ratio((values * self.n_gold).sum(axis=1), self.n_gold.sum(axis=1))


def label_counts(outcome: Outcome, takes: Ints) -> Counts:
    """Counts by label, in the order of `outcome.labels`; spans count when start, end and label are all right."""
    if (single := outcome.single()) is not None:
        return _single(single, takes)
    if isinstance(outcome, MultiOutcome):
        return _multi(outcome, takes)
    assert isinstance(outcome, SpanOutcome)
    return _spans(outcome, takes)


def tag_counts(outcome: SpanOutcome, takes: Ints) -> tuple[list[str], Counts]:
    """The word-level tags that occur, sorted, and their counts."""
    row = np.repeat(np.arange(len(outcome)), [len(tags) for tags in outcome.gold_tags])
    gold, predicted = _flat(outcome.gold_tags), _flat(outcome.predicted_tags)
    tags = sorted({*gold, *predicted})
    code = {tag: index for index, tag in enumerate(tags)}
    return tags, _of_codes(_codes(gold, code), _codes(predicted, code), row, takes, len(tags))


def _single(outcome: SingleOutcome, takes: Ints) -> Counts:
    rows = np.arange(len(outcome))
    return _of_codes(outcome.gold, outcome.predicted, rows, takes, len(outcome.labels))


def _of_codes(gold: Ints, predicted: Ints, row: Ints, takes: Ints, n_labels: int) -> Counts:
    right = gold == predicted
    return Counts(
        sums_by(gold[right], n_labels, takes, row[right]),
        sums_by(predicted, n_labels, takes, row),
        sums_by(gold, n_labels, takes, row),
    )


def _multi(outcome: MultiOutcome, takes: Ints) -> Counts:
    given = outcome.given
    weights = takes.astype(float)
    return Counts(*(weights @ cells.astype(float) for cells in (given & outcome.gold, given, outcome.gold)))


def _spans(outcome: SpanOutcome, takes: Ints) -> Counts:
    code = {label: index for index, label in enumerate(outcome.labels)}
    gold = [bare(spans) for spans in outcome.gold]
    predicted = [bare(spans) for spans in outcome.predicted]
    right = [mine & theirs for mine, theirs in zip(gold, predicted, strict=True)]
    return Counts(*(_spans_by_label(spans, code, takes) for spans in (right, predicted, gold)))


def _spans_by_label(spans: Sequence[Iterable[tuple[int, int, str]]], code: dict[str, int], takes: Ints) -> Floats:
    found = [(code[label], row) for row, here in enumerate(spans) for _, _, label in here]
    group, row_of = np.array(found, dtype=np.int64).reshape(-1, 2).T
    return sums_by(group, len(code), takes, row_of)


def _flat(tags: Sequence[Sequence[str]]) -> list[str]:
    return [tag for row in tags for tag in row]


def _codes(tags: list[str], code: dict[str, int]) -> Ints:
    return np.array([code[tag] for tag in tags], dtype=np.int64)
