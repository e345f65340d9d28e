"""Precision, recall and F1 of whole spans: right only when start, end and label all are."""

from __future__ import annotations

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._counts import label_counts
from burnish.metrics._resampling import score_once
from burnish.metrics._spans import SpanOutcome


class EntityF1(Metric):
    """Gives `entity_f1`, `entity_precision`, `entity_recall` (micro) and `entity_macro_f1`, 0 … 1.

    The entity-level score of CoNLL-2003 (Tjong Kim Sang and De Meulder 2003), equal to seqeval's on the same
    spans.
    """

    judges = (SpanOutcome,)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        counts = label_counts(outcome, takes)
        pooled = counts.pooled()
        return {
            "entity_f1": pooled.f1[:, 0],
            "entity_precision": pooled.precision[:, 0],
            "entity_recall": pooled.recall[:, 0],
            "entity_macro_f1": counts.macro(counts.f1),
        }
