"""Is a count unusual beside its own past? An exact test given the past's total, for counts that come in clumps.

Counts are taken as negative binomial with a variance of φ times the mean (type 1 of Cameron and Trivedi 1986). Then
the newest count, given the total of newest and past, follows Pólya's urn, the beta-binomial distribution, whatever
the rate is: so the rate needs no estimate, and no error of one is passed over. With φ = 1, counts without clumps, it
is the exact test of two Poisson rates (Przyborowski and Wilenski 1940).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from burnish.monitoring.distributions import beta_binomial_tail, binomial_tail, chi_square_quantile

Floats = NDArray[np.float64]
CAUTION = 0.1  # φ is the upper end of its one-sided 90 % interval, so that a stated rate holds for an estimated φ too
DRAWN = 8  # degrees of freedom that the φ common to all series counts for, beside what a series tells itself
CLUMPED = 1.02  # a φ below makes no difference that could be told


@dataclass(frozen=True)
class Past:
    """[K] counts of past intervals and the [K] exposures of these: hours, or how busy such hours usually are."""

    counts: Floats
    exposures: Floats
    n_fitted: float = 1.0
    """Numbers that were fitted to make these exposures; as many degrees of freedom are gone."""

    def expected(self, exposure: float) -> float:
        """Mean count of an interval of that exposure."""
        return float(self.counts.sum()) * exposure / float(self.exposures.sum())

    def high(self, count: int, exposure: float, clumping: float) -> float:
        """P(a count this high or higher) in an interval of that exposure, with φ = `clumping`."""
        n, share = self._urn(count, exposure)
        return _tail(count, n, share, clumping)

    def low(self, count: int, exposure: float, clumping: float) -> float:
        """P(a count this low or lower)."""
        n, share = self._urn(count, exposure)
        return _tail(n - count, n, 1.0 - share, clumping)

    def _urn(self, count: int, exposure: float) -> tuple[int, float]:
        return round(float(self.counts.sum())) + count, exposure / (exposure + float(self.exposures.sum()))


def clumping_of(series: Sequence[Past]) -> list[float]:
    """φ of each series: its own moments, drawn a little towards those of all, at the upper end of their interval.

    What a series tells of φ grows with its clumps, not with its intervals: a label that comes in three clumps a week
    has told next to nothing, and takes the φ of the others.
    """
    found = [one for one in map(_moments, series) if one is not None]
    if not found:
        return [1.0] * len(series)
    common = max(1.0, sum(phi * freedom for phi, freedom, _ in found) / sum(freedom for _, freedom, _ in found))
    told = [(phi, freedom * mean / (mean + common)) for phi, freedom, mean in found]
    common = max(1.0, sum(phi * weight for phi, weight in told) / sum(weight for _, weight in told))
    upper = iter([_upper(phi, weight, common) for phi, weight in told])
    unseen = _upper(common, 0.0, common)
    return [unseen if _moments(one) is None else next(upper) for one in series]


def _moments(one: Past) -> tuple[float, float, float] | None:
    """φ by Pearson's chi-square of the counts about their means, its degrees of freedom, the mean count."""
    freedom = len(one.counts) - one.n_fitted
    if freedom <= 0.0 or not one.counts.any():
        return None
    expected = one.counts.sum() * one.exposures / one.exposures.sum()
    seen = expected > 0.0
    return (
        float(((one.counts - expected)[seen] ** 2 / expected[seen]).sum()) / freedom,
        freedom,
        float(one.counts.mean()),
    )


def _upper(phi: float, freedom: float, common: float) -> float:
    drawn = (phi * freedom + common * DRAWN) / (freedom + DRAWN)
    return max(1.0, drawn * (freedom + DRAWN) / chi_square_quantile(CAUTION, freedom + DRAWN))


def _tail(k: int, n: int, share: float, clumping: float) -> float:
    if clumping < CLUMPED:
        return binomial_tail(k, n, share)
    urn = n / (clumping - 1.0)
    return beta_binomial_tail(k, n, urn * share, urn * (1.0 - share))
