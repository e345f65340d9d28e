"""Mean, over the tasks that share a model, of the score that each is judged by."""

from __future__ import annotations

from typing import cast

from burnish.core.members import joined
from burnish.core.shelves import Shelf
from burnish.metrics._contract import Metric, Outcome
from burnish.metrics._joint import JointOutcome


class TaskMean(Metric):
    """Every task counts alike, however many rows it has; each one's own score is told beside the mean."""

    judges = (JointOutcome,)

    def score(self, outcome: Outcome) -> dict[str, float]:
        assert isinstance(outcome, JointOutcome)
        scores = {}
        for name, part in outcome.parts.items():
            chosen = outcome.best_by[name]
            metric = cast("Metric", Shelf("metrics").get(chosen)())
            scores[joined(name, chosen)] = metric.score(part)[chosen]
        return {"task_mean": sum(scores.values()) / len(scores), **scores}
