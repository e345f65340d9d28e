"""Runs of up to six characters that written texts share with gold, over all rows: kind to inflected languages."""

from __future__ import annotations

import numpy as np

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._resampling import ratio, score_once
from burnish.metrics._texts import TextOutcome

ORDER = 6
RECALL_FACTOR = 4  # β² for β = 2: recall counts twice as much as precision


class Chrf(Metric):
    """Gives `chrf`, 0 … 1: chrF2 of the corpus (Popović 2015, WMT) as sacrebleu counts it, ÷ 100.

    White space is left out, so Chinese needs no cutting. Counts of rows are summed, so a resample is cheap.
    """

    judges = (TextOutcome,)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        assert isinstance(outcome, TextOutcome)
        sums = (takes @ _statistics(outcome)).reshape(len(takes), ORDER, 3)
        n_written, n_gold, n_shared = sums[..., 0], sums[..., 1], sums[..., 2]
        has_both = (n_written > 0) & (n_gold > 0)  # an order longer than all texts says nothing
        n_orders = has_both.sum(axis=1)
        precision = ratio(np.where(has_both, ratio(n_shared, n_written), 0).sum(axis=1), n_orders)
        recall = ratio(np.where(has_both, ratio(n_shared, n_gold), 0).sum(axis=1), n_orders)
        f = ratio((1 + RECALL_FACTOR) * precision * recall, RECALL_FACTOR * precision + recall)
        return {"chrf": f}


def _statistics(outcome: TextOutcome) -> Ints:
    """[N, 3 ORDER] of each row: runs written, runs of the gold text most like it, runs shared; of 1 … 6 characters."""
    from sacrebleu.metrics.chrf import CHRF

    counter = CHRF(char_order=ORDER, word_order=0)
    rows = np.zeros((len(outcome), 3 * ORDER), np.int64)
    for row, (gold, written) in enumerate(zip(outcome.gold, outcome.written, strict=True)):
        rows[row] = counter._extract_corpus_statistics([written], [[text] for text in gold])[0]
    return rows
