"""Answer or abstain: the risk–coverage curve, and the threshold that keeps a wanted precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from burnish.metrics._contract import Bools, Floats, Ints
from burnish.metrics._resampling import ratio

DOUBT = 0.1  # chance, at most, that the promised precision does not hold on new data
N_LOOKS = 25


@dataclass(frozen=True)
class RiskCoverage:
    """For each distinct confidence, from high to low: what share is answered from there up, and the error in it."""

    threshold: Floats
    coverage: Floats
    risk: Floats
    n_kept: Ints

    def __len__(self) -> int:
        return len(self.threshold)


@dataclass(frozen=True)
class Threshold:
    """Answers of confidence ≥ `value` are given. Coverage and precision are those where it was chosen."""

    value: float
    coverage: float
    precision: float
    is_reached: bool


def risk_coverage(confidence: Floats, is_correct: Bools) -> RiskCoverage:
    """The curve of A answers (Geifman and El-Yaniv 2017, arXiv 1705.08500, §2); equal confidences go together."""
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    ends = np.flatnonzero(np.r_[np.diff(falling) != 0, True]) if len(falling) else np.zeros(0, np.int64)
    n_kept = ends + 1
    n_wrong = np.cumsum(~is_correct[order])[ends]
    return RiskCoverage(falling[ends], n_kept / max(len(falling), 1), ratio(n_wrong, n_kept), n_kept)


def abstention_threshold(
    confidence: Floats, is_correct: Bools, target_precision: float, doubt: float = DOUBT
) -> Threshold:
    """The lowest threshold whose precision is at least the target on new data, with probability 1 − `doubt`.

    Selection with guaranteed risk (Geifman and El-Yaniv 2017, §3): the curve is looked at in 25 places, evenly spread
    over coverage, each held to a one-sided Clopper–Pearson bound of doubt / 25, and the one that answers most is taken.
    A plain estimate would choose the luckiest of all thresholds and disappoint in service. (The paper searches by
    halves, which misses thresholds when precision does not fall steadily.) The price is coverage on a small dev set: a
    target of 0.95 needs about 110 answers without an error. When no look holds, `is_reached` is false and the value is
    the threshold with the best bound. Without answers it is 1, which abstains.
    """
    curve = risk_coverage(confidence, is_correct)
    if not len(curve):
        return Threshold(1.0, 0.0, 0.0, False)
    looks = np.searchsorted(curve.coverage, np.arange(1, N_LOOKS + 1) / N_LOOKS - 1e-9)
    bounds = precision_bounds(curve, doubt / N_LOOKS)[looks]
    holds = np.flatnonzero(bounds >= target_precision)
    index = looks[holds[-1] if len(holds) else bounds.argmax()]
    return Threshold(
        float(curve.threshold[index]), float(curve.coverage[index]), float(1.0 - curve.risk[index]), len(holds) > 0
    )


def precision_bounds(curve: RiskCoverage, doubt: float) -> Floats:
    """Clopper–Pearson lower bounds (1934) of the precision at each point of the curve; one-sided, 1 − `doubt`."""
    from scipy.special import betaincinv

    n_wrong = np.rint(curve.risk * curve.n_kept)
    n_right = curve.n_kept - n_wrong
    bounds = betaincinv(np.maximum(n_right, 1), n_wrong + 1, doubt)
    return np.where(n_right > 0, bounds, 0.0)


def kept_share(confidence: Floats, is_correct: Bools, value: float) -> tuple[float, float]:
    """(coverage, precision) of the answers whose confidence is at least `value`."""
    kept = confidence >= value
    return float(ratio(kept.sum(), len(kept))), float(ratio(is_correct[kept].sum(), kept.sum()))
