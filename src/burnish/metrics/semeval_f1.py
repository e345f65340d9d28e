"""F1 of relations as SemEval-2010 Task 8 counts it: macro over relations, direction counted, "no relation" left out."""

from __future__ import annotations

import numpy as np

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._counts import Counts
from burnish.metrics._relations import RelationOutcome, relation_of
from burnish.metrics._resampling import ratio, score_once, sums_by


class SemevalF1(Metric):
    """Gives `semeval_f1`, 0 … 1: the official score of Hendrickx et al. 2010 (§4.3), (9+1)-way with directionality.

    The two directions of a relation, `X(e1,e2)` and `X(e2,e1)`, are one class; an answer is right only when its
    direction is right too, else it counts against precision and recall of its relation. The mean is over the relations
    that occur in gold, without the task's `no_relation`; rows of that label still cost precision where a relation is
    answered, and recall where it is answered for one. Labels without a direction are classes of their own. Where gold
    has no relation at all the score is 1 if none was answered, else 0.
    """

    judges = (RelationOutcome,)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        assert isinstance(outcome, RelationOutcome)
        counts = _counts(outcome, takes)
        is_gold = counts.n_gold > 0
        mean = ratio((counts.f1 * is_gold).sum(axis=1), is_gold.sum(axis=1))
        has_nothing = ~(counts.n_gold + counts.n_predicted).any(axis=1)
        return {"semeval_f1": np.where(has_nothing, 1.0, mean)}


def _counts(outcome: RelationOutcome, takes: Ints) -> Counts:
    """Counts by relation, both directions pooled, without the class of no relation."""
    labels = outcome.of_labels
    relations = [relation_of(label) for label in labels.labels]
    names = sorted(set(relations))
    code = np.asarray([names.index(name) for name in relations], np.int64)
    gold, predicted, row = code[labels.gold], code[labels.predicted], np.arange(len(labels))
    is_right = labels.gold == labels.predicted
    kept = [index for index, name in enumerate(names) if name != outcome.no_relation]
    return Counts(
        sums_by(gold[is_right], len(names), takes, row[is_right])[:, kept],
        sums_by(predicted, len(names), takes, row)[:, kept],
        sums_by(gold, len(names), takes, row)[:, kept],
    )
