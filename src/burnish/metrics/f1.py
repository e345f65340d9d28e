"""F1 of labels: macro, micro and weighted; `f1` is macro for one label a row and micro for many."""

from __future__ import annotations

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._counts import label_counts
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._relations import RelationOutcome
from burnish.metrics._resampling import score_once
from burnish.metrics._single import SingleOutcome


class F1(Metric):
    """Gives `macro_f1`, `micro_f1`, `weighted_f1`, and `f1`, 0 … 1.

    With one label a row micro F1 equals accuracy, so `f1` is macro there: it is the one that sees small classes. With
    many labels `f1` is micro, as the literature reports it. Macro averages over the labels that occur in gold or
    predictions: a label that occurs in neither has no F1 (scikit-learn with `zero_division=nan`).
    """

    judges = (SingleOutcome, RelationOutcome, MultiOutcome)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        counts = label_counts(outcome, takes)
        macro, micro = counts.macro(counts.f1), counts.pooled().f1[:, 0]
        return {
            "f1": micro if isinstance(outcome, MultiOutcome) else macro,
            "macro_f1": macro,
            "micro_f1": micro,
            "weighted_f1": counts.weighted(counts.f1),
        }
