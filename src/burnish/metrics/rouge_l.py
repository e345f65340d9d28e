"""What written texts share with the gold text most like them: words, pairs of words, the longest common order."""

from __future__ import annotations

import numpy as np

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._overlap import scores
from burnish.metrics._resampling import mean_by_row, score_once
from burnish.metrics._texts import TextOutcome


class RougeL(Metric):
    """Gives `rouge_1`, `rouge_2` and `rouge_l`, 0 … 1: mean F1 a row (Lin 2004, ACL workshop, §2–3).

    English words are stemmed; Chinese goes by character. Of several gold texts the best counts, for each score apart.
    """

    judges = (TextOutcome,)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        assert isinstance(outcome, TextOutcome)
        pairs = np.array([scores(golds, found, ["rouge1", "rouge2"]) for golds, found in outcome.words]).reshape(-1, 2)
        return {
            "rouge_1": mean_by_row(pairs[:, 0], takes),
            "rouge_2": mean_by_row(pairs[:, 1], takes),
            "rouge_l": mean_by_row(outcome.likeness, takes),
        }
