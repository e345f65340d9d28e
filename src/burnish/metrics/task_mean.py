"""Mean, over the tasks that share a model, of the score that each is judged by."""

from __future__ import annotations

from typing import cast

import numpy as np

from burnish.core.members import joined
from burnish.core.shelves import Shelf
from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._joint import JointOutcome
from burnish.metrics._resampling import resampled_by, score_once


class TaskMean(Metric):
    """Every task counts alike, however many rows it has; each one's own score is told beside the mean."""

    judges = (JointOutcome,)

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        assert isinstance(outcome, JointOutcome)
        scores = {}
        for number, (name, part) in enumerate(outcome.parts.items()):
            chosen = outcome.best_by[name]
            own = np.flatnonzero(outcome.part == number)
            of_part = takes[:, own[np.argsort(outcome.at[own])]]
            metric = cast("Metric", Shelf("metrics").get(chosen)())
            scores[joined(name, chosen)] = resampled_by(metric, part, of_part)[chosen]
        return {"task_mean": np.mean(list(scores.values()), axis=0), **scores}
