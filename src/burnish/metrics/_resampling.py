"""Scores of many resamples at once: rows are counted instead of copied.

A bootstrap resample of N rows is how often each row was taken: `takes` [R, N] for R resamples. Most scores depend
on sums over rows only, so a resample costs one weighted count. The plain score is the resample that takes each
row once, hence a value and its interval can never come from two different formulas.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from burnish.metrics._contract import Floats, Ints, Metric, Outcome


@runtime_checkable
class Resampled(Protocol):
    """A metric that scores resamples quickly. One that cannot is scored on `outcome.take(…)`, which is slower."""

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        """Name → [R] scores of the R resamples `takes` [R, N]."""


def resampled_by(metric: Metric, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
    """Name → [R] scores by any metric of the R resamples `takes` [R, N]; slow for one that cannot count."""
    if isinstance(metric, Resampled):
        return metric.resampled(outcome, takes)
    rows = np.arange(len(outcome))
    found = [metric.score(outcome.take(np.repeat(rows, taken))) for taken in takes]
    return {name: np.array([scores[name] for scores in found]) for name in found[0]}


def score_once(metric: Resampled, outcome: Outcome) -> dict[str, float]:
    """The metric's scores when every row is taken once."""
    once = np.ones((1, len(outcome)), dtype=np.int64)
    return {name: float(values[0]) for name, values in metric.resampled(outcome, once).items()}


def sums_by(group: Ints, n_groups: int, takes: Ints, row: Ints, values: Floats | None = None) -> Floats:
    """[R, n_groups] sums, for each resample, of `values` [M] (1 each when None) by `group` [M].

    `row` [M] says which row each of the M items belongs to; an item counts as often as its row was taken.
    """
    sums = np.empty((len(takes), n_groups))
    for resample, taken in enumerate(takes):
        weights = taken[row] if values is None else taken[row] * values
        sums[resample] = np.bincount(group, weights, minlength=n_groups)
    return sums


def mean_by_row(values: Floats, takes: Ints) -> Floats:
    """[R] mean of one value a row [N] in each resample; 0 when there are no rows."""
    return ratio(takes @ values, takes.sum(axis=1))


def ratio(top: ArrayLike, bottom: ArrayLike) -> Floats:
    """`top / bottom` by element, and 0 where `bottom` is 0: nothing to be right about scores nothing."""
    above, below = np.broadcast_arrays(np.asarray(top, float), np.asarray(bottom, float))
    return np.asarray(np.divide(above, below, out=np.zeros(above.shape), where=below != 0))
