"""Runs of up to four words that written texts share with gold, over all rows: the usual score of translations."""

from __future__ import annotations

import numpy as np

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._resampling import score_once
from burnish.metrics._texts import TextOutcome

ORDER = 4


class Bleu(Metric):
    """Gives `bleu`, 0 … 1: corpus BLEU (Papineni et al. 2002) as sacrebleu counts it (Post 2018), ÷ 100.

    Rows in Chinese are cut by sacrebleu's `zh`, others by its `13a`. Counts of rows are summed, so a resample is cheap.
    """

    judges = (TextOutcome,)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        from sacrebleu.metrics.bleu import BLEU

        assert isinstance(outcome, TextOutcome)
        sums = takes @ _statistics(outcome)  # [R, 2 + 2 ORDER]
        found = [
            BLEU.compute_bleu(
                row[2 : 2 + ORDER].tolist(), row[2 + ORDER :].tolist(), int(row[0]), int(row[1]), smooth_method="exp"
            ).score
            for row in sums
        ]
        return {"bleu": np.array(found, float) / 100}


def _statistics(outcome: TextOutcome) -> Ints:
    """[N, 2 + 2 ORDER] of each row: its length, that of the nearest gold, shared runs of 1 … 4 words, all of them."""
    from sacrebleu.metrics.bleu import BLEU

    cutters = {is_chinese: BLEU(tokenize="zh" if is_chinese else "13a", effective_order=True) for is_chinese in (0, 1)}
    rows = np.zeros((len(outcome), 2 + 2 * ORDER), np.int64)
    for row, (gold, written) in enumerate(zip(outcome.gold, outcome.written, strict=True)):
        one = cutters[int(outcome.is_chinese[row])].sentence_score(written, list(gold))
        rows[row] = [one.sys_len, one.ref_len, *one.counts, *one.totals]
    return rows
