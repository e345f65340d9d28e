"""Reliability: how often answers of a confidence are right, in equal-width bins (Naeini 2015; Guo 2017, §2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from burnish.metrics._contract import Decisions, Floats, Ints
from burnish.metrics._resampling import ratio, sums_by

N_BINS = 15  # the number that Guo 2017 reports with, so that figures compare


@dataclass(frozen=True)
class Bins:
    """For R resamples: how many decisions lie in each of the bins, and the sums of probability and truth there."""

    n: Floats
    probability: Floats
    truth: Floats

    @property
    def error(self) -> Floats:
        """[R] expected calibration error: mean |truth − probability| over bins, weighed by their size."""
        return ratio(np.abs(self.truth - self.probability).sum(axis=1), self.n.sum(axis=1))


def bins_of(decisions: Decisions, takes: Ints, n_bins: int = N_BINS) -> Bins:
    """Decisions in bins (0, 1/n], (1/n, 2/n], …; a probability of 0 lies in the first."""
    index = np.ceil(decisions.probability * n_bins).astype(np.int64) - 1
    group = np.clip(index, 0, n_bins - 1)
    return Bins(
        sums_by(group, n_bins, takes, decisions.row),
        sums_by(group, n_bins, takes, decisions.row, decisions.probability),
        sums_by(group, n_bins, takes, decisions.row, decisions.came_true),
    )
