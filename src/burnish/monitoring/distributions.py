"""Tails of the distributions that the watches test with, in plain mathematics: a watching machine has no scipy.

Incomplete gamma and beta: Press et al. 2007, "Numerical Recipes", 3rd edition, §6.2 and §6.4. Sums of the discrete
ones run outwards from the count in question, along the ratios of neighbouring probabilities, and stop where nothing
is added any more.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

TINY, ENOUGH, MOST_TERMS = 1e-300, 1e-15, 10_000
PIECE = 4096  # terms that are summed at once

Ratio = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Counts k → probability of k + 1 (or of k − 1) divided by that of k."""


def normal_tail(z: float) -> float:
    """P(Z ≥ z) of the standard normal distribution."""
    return 0.5 * math.erfc(z / math.sqrt(2.0))


def chi_square_tail(x: float, n_degrees: float) -> float:
    """P(X ≥ x) of the chi-square distribution."""
    return _upper_gamma(n_degrees / 2.0, x / 2.0)


def chi_square_quantile(share: float, n_degrees: float) -> float:
    """The x with P(X ≤ x) = share (Wilson and Hilferty 1931): within 1 % for 0.1 … 0.9 and 5 degrees or more."""
    low, high = -10.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if normal_tail(middle) > 1.0 - share else (low, middle)
    spread = 2.0 / (9.0 * n_degrees)
    return float(n_degrees * max(0.0, 1.0 - spread + low * math.sqrt(spread)) ** 3)


def beta_share(x: float, a: float, b: float) -> float:
    """P(X ≤ x) of the beta distribution: the regularised incomplete beta function."""
    if x <= 0.0 or x >= 1.0:
        return float(x >= 1.0)
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - _log_beta(a, b))
    if x < (a + 1.0) / (a + b + 2.0):
        return min(1.0, front * _beta_fraction(x, a, b) / a)
    return max(0.0, 1.0 - front * _beta_fraction(1.0 - x, b, a) / b)


def binomial_chance(k: int, n: int, share: float) -> float:
    """P(X = k) where each of n comes true with the probability `share`, which is neither 0 nor 1."""
    return math.exp(_log_choose(n, k) + k * math.log(share) + (n - k) * math.log1p(-share))


def binomial_tail(k: int, n: int, share: float) -> float:
    """P(X ≥ k) where each of n comes true with the probability `share`."""
    if k <= 0 or k > n:
        return float(k <= 0)
    return beta_share(share, k, n - k + 1.0)


def hypergeometric_tail(k: int, n_drawn: int, n_marked: int, n_all: int) -> float:
    """P(X ≥ k) where X of `n_drawn` are marked, drawn without replacement from `n_all` with `n_marked` marked ones."""
    lowest, highest = max(0, n_drawn + n_marked - n_all), min(n_drawn, n_marked)
    if k <= lowest or k > highest:
        return float(k <= lowest)
    n_other = n_all - n_marked - n_drawn

    def log(at: int) -> float:
        return _log_choose(n_marked, at) + _log_choose(n_all - n_marked, n_drawn - at) - _log_choose(n_all, n_drawn)

    if k > n_drawn * n_marked / n_all:
        return _outward(log(k), k, highest, lambda i: (n_marked - i) * (n_drawn - i) / ((i + 1) * (n_other + i + 1)))
    return 1.0 - _outward(
        log(k - 1), k - 1, lowest, lambda i: i * (n_other + i) / ((n_marked - i + 1) * (n_drawn - i + 1))
    )


def beta_binomial_tail(k: int, n: int, a: float, b: float) -> float:
    """P(X ≥ k) of n draws whose probability is itself drawn from the beta distribution (Pólya's urn)."""
    if k <= 0 or k > n:
        return float(k <= 0)

    def log(at: int) -> float:
        return _log_choose(n, at) + _log_beta(at + a, n - at + b) - _log_beta(a, b)

    if k > n * a / (a + b):
        return _outward(log(k), k, n, lambda i: (n - i) * (a + i) / ((i + 1) * (b + n - i - 1)))
    return 1.0 - _outward(log(k - 1), k - 1, 0, lambda i: i * (b + n - i) / ((n - i + 1) * (a + i - 1)))


def _outward(log_first: float, first: int, last: int, ratio: Ratio) -> float:
    """Sum of the probabilities from `first` to `last`, which fall on the way."""
    step = 1 if last >= first else -1
    total = term = 1.0
    while first != last and term > ENOUGH * total:
        n_terms = min(PIECE, abs(last - first))
        terms = term * np.cumprod(ratio(first + step * np.arange(n_terms, dtype=np.float64)))
        total, term, first = total + float(terms.sum()), float(terms[-1]), first + step * n_terms
    return min(1.0, math.exp(log_first) * total)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1.0) - math.lgamma(k + 1.0) - math.lgamma(n - k + 1.0)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _upper_gamma(a: float, x: float) -> float:
    """Q(a, x): by its series below a + 1, by its continued fraction above."""
    if x <= 0.0:
        return 1.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x >= a + 1.0:
        return min(1.0, front * _gamma_fraction(a, x))
    term = total = 1.0 / a
    for number in range(1, MOST_TERMS):
        term *= x / (a + number)
        total += term
        if term < total * ENOUGH:
            break
    return max(0.0, 1.0 - front * total)


def _gamma_fraction(a: float, x: float) -> float:
    b = x + 1.0 - a
    c, d = 1.0 / TINY, 1.0 / b
    value = d
    for number in range(1, MOST_TERMS):
        part = -number * (number - a)
        b += 2.0
        d = 1.0 / _away_from_zero(part * d + b)
        c = _away_from_zero(b + part / c)
        value *= d * c
        if abs(d * c - 1.0) < ENOUGH:
            break
    return value


def _beta_fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        change = 1.0
        for part in (even, odd):
            d = 1.0 / _away_from_zero(1.0 + part * d)
            c = _away_from_zero(1.0 + part / c)
            change = d * c
            value *= change
        if abs(change - 1.0) < ENOUGH:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
