"""Do two samples come from the same distribution? Tests on counts, shares, ranks and vectors, each with its effect."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from burnish.monitoring.distributions import (
    beta_share,
    binomial_chance,
    chi_square_tail,
    hypergeometric_tail,
    normal_tail,
)

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
LEAST_EXPECTED = 2.0  # enough for Pearson's test of many labels (Roscoe and Byars 1971); rarer ones are put together
SAME = 1e-9  # vectors this near are equal


def more_often(k: int, n: int, k_before: int, n_before: int) -> float:
    """P-value that k of n is no larger a share than k_before of n_before: Fisher's exact test, one-sided."""
    return hypergeometric_tail(k, n, k + k_before, n + n_before)


def more_often_at_any_look(k: int, n: int, k_before: int, n_before: int) -> float:
    """The same p-value as often as one looks: it falls below α at any time in at most a share α of all cases.

    Of all k + k_before each is among the n with the chance n / (n + n_before), where the two shares are equal. Held
    against it is every larger chance, all of them alike: the ratio of the likelihoods is a martingale, which exceeds
    1 / α in at most a share α of all cases, ever (Ville 1939; Robbins 1970, Annals of Mathematical Statistics 41:1397).
    """
    if min(n, n_before) == 0:
        return 1.0
    share, failed = n / (n + n_before), k + k_before
    alike = (failed + 1) * binomial_chance(k, failed, share)
    return min(1.0, (1.0 - share) * alike / beta_share(1.0 - share, k_before + 1.0, k + 1.0))


def other_share(k: int, n: int, k_before: int, n_before: int) -> float:
    """The same for a share that changed either way."""
    lower = more_often(n - k, n, n_before - k_before, n_before)
    return min(1.0, 2.0 * min(more_often(k, n, k_before, n_before), lower))


def cliffs_delta(now: Counts, before: Counts) -> float:
    """P(now larger) − P(now smaller) of a pair drawn at random (Cliff 1993), from counts in the same ordered bins.

    −1 … 1; 0.15 is called small, 0.33 medium, 0.47 large (Romano et al. 2006).
    """
    below = np.cumsum(before) - before
    above = before.sum() - below - before
    return float((now * (below - above)).sum() / (now.sum() * before.sum()))


def rank_test(now: Counts, before: Counts) -> tuple[float, float]:
    """P-values of "now is no larger" and "now is no smaller": Mann and Whitney 1947, with the correction for ties."""
    n, m = float(now.sum()), float(before.sum())
    tied = (now + before).astype(np.float64)
    every = n + m
    spread = n * m / 12.0 * (every + 1.0 - float((tied**3 - tied).sum()) / (every * (every - 1.0)))
    if spread <= 0.0:
        return 1.0, 1.0
    z = cliffs_delta(now, before) * n * m / 2.0 / math.sqrt(spread)
    return normal_tail(z), normal_tail(-z)


def psi(now: Counts, before: Counts) -> float:
    """Population stability index of two [L] counts, about 0 where nothing has changed, however few the rows.

    The index itself, Σ (q − p) ln(q / p), is far above 0 for small samples and infinite for a label that is new. To
    second order it is Σ (q − p)² / p (Yurdakul 2018, §3), which is Pearson's statistic; and the mean of that by chance
    is known: L − 1. So it is estimated as (χ² − (L − 1)) (1/n + 1/m). 0.1 is usually called moderate, 0.25 large.
    """
    table = np.stack([now, before])[:, (now + before) > 0].astype(np.float64)
    n, n_before = table.sum(axis=1)
    return max(0.0, float((_pearson(table) - (table.shape[1] - 1)) * (1.0 / n + 1.0 / n_before)))


def chi_square_test(now: Counts, before: Counts) -> tuple[float, int, float]:
    """Pearson's statistic of two [L] counts, its degrees of freedom, the p-value. Rare labels are put together."""
    pooled = (now + before).astype(np.float64)
    common = pooled * min(now.sum(), before.sum()) / pooled.sum() >= LEAST_EXPECTED
    table = np.stack([_grouped(now, common), _grouped(before, common)]).astype(np.float64)
    table = table[:, table.sum(axis=0) > 0]
    statistic, n_degrees = _pearson(table), table.shape[1] - 1
    return statistic, n_degrees, chi_square_tail(statistic, n_degrees) if n_degrees else 1.0


def _pearson(table: Floats) -> float:
    """Σ (observed − expected)² / expected of a [2, L] table without empty columns."""
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    return float(((table - expected) ** 2 / expected).sum())


def energy_distance(now: Floats, before: Floats) -> float:
    """How far apart [N, D] and [M, D] vectors lie, as a share of their mean distance: 0 equal, 1 entirely apart.

    The energy coefficient H of Székely and Rizzo 2013 (J. Stat. Plan. Inference 143, §3), without the bias of small
    samples, so around 0 where nothing has changed.
    """
    return _energy(_distances(np.concatenate([now, before])), len(now))


def energy_test(now: Floats, before: Floats, n_permutations: int, draw: np.random.Generator) -> tuple[float, float]:
    """The distance, and the share of random divisions of all vectors that lie at least so far apart.

    The p-value counts the division found as one of them (Phipson and Smyth 2010): at least 1 / (n_permutations + 1).
    """
    between, n = _distances(np.concatenate([now, before])), len(now)
    found = _energy(between, n)
    is_now = np.zeros((len(between), n_permutations), dtype=np.float32)
    for column in range(n_permutations):
        is_now[draw.permutation(len(between))[:n], column] = 1.0
    within = (is_now * (between @ is_now)).sum(axis=0, dtype=np.float64)
    rows = (is_now * between.sum(axis=1, keepdims=True)).sum(axis=0, dtype=np.float64)
    others = _coefficient(within, rows - within, float(between.sum(dtype=np.float64)), n, len(between))
    return found, float((np.sum(others >= found - 1e-9) + 1) / (n_permutations + 1))


def _energy(between: NDArray[np.float32], n: int) -> float:
    within = between[:n, :n].sum(dtype=np.float64)
    across = between[:n, n:].sum(dtype=np.float64)
    return float(_coefficient(within, across, float(between.sum(dtype=np.float64)), n, len(between)))


def _coefficient(within: Floats, across: Floats, everything: float, n: int, n_all: int) -> Floats:
    """From the sums of distances within the first n and from these to the others: 1 − (mean within) / (mean across)."""
    m = n_all - n
    within_others = everything - within - 2.0 * across
    mean_within = within / (n * (n - 1)) + within_others / (m * (m - 1))
    mean_across = across / (n * m)
    is_apart = mean_across > SAME
    return np.where(is_apart, 1.0 - mean_within / (2.0 * np.where(is_apart, mean_across, 1.0)), 0.0)


def _distances(vectors: Floats) -> NDArray[np.float32]:
    """[N, N] Euclidean distances."""
    squares = (vectors**2).sum(axis=1)
    between = squares[:, None] + squares[None, :] - 2.0 * (vectors @ vectors.T)
    np.fill_diagonal(between, 0.0)
    lengths: NDArray[np.float32] = np.sqrt(np.maximum(between, 0.0)).astype(np.float32)
    return lengths


def _grouped(counts: Counts, common: NDArray[np.bool_]) -> Counts:
    return np.append(counts[common], counts[~common].sum())
