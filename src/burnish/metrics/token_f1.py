"""F1 of word-level tags such as B-PER and O, one decision a word."""

from __future__ import annotations

import numpy as np

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._counts import Counts, tag_counts
from burnish.metrics._resampling import score_once
from burnish.metrics._spans import SpanOutcome


class TokenF1(Metric):
    """Gives `token_f1`, `token_f1_without_o` and `token_macro_f1`, 0 … 1.

    `token_f1` is micro F1 over all tags, O included, which is the share of words tagged right. `token_f1_without_o`
    is micro F1 over the other tags; `token_macro_f1` the mean F1 of all tags that occur, O included. The entity score
    (`entity_f1`) is far stricter: most words are O.
    """

    judges = (SpanOutcome,)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        assert isinstance(outcome, SpanOutcome)
        tags, counts = tag_counts(outcome, takes)
        inside = np.array([tag != "O" for tag in tags], dtype=bool)
        spans_only = Counts(counts.n_right[:, inside], counts.n_predicted[:, inside], counts.n_gold[:, inside])
        return {
            "token_f1": counts.pooled().f1[:, 0],
            "token_f1_without_o": spans_only.pooled().f1[:, 0],
            "token_macro_f1": counts.macro(counts.f1),
        }
