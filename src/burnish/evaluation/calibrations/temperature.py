"""Divide logits by one temperature that makes dev most likely; never changes which label wins."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from burnish.core.errors import SickRun
from burnish.evaluation.calibrations._contract import Calibration
from burnish.metrics._contract import Bools, Floats, Ints
from burnish.metrics._probabilities import Kind, probabilities

LOWEST, HIGHEST = 0.05, 20.0  # temperatures outside are a sign of a broken dev set, not of a better fit
MOST_ROWS = 50_000  # one number needs no more; keeps the fit within a few seconds and some hundred MB


class Temperature(Calibration):
    """Temperature scaling (Guo et al. 2017, arXiv 1706.04599, §4.2), safe on small and on perfect dev sets.

    The likelihood of a dev set without errors grows for ever as the temperature falls. So gold is trusted only to
    1 − 1/(M + 2), and the rest goes to the strongest other label: the rule of succession, as in Platt scaling (Platt
    1999). M perfect rows then give an average confidence of about 1 − 1/(M + 2). With thousands of rows the
    correction vanishes. The temperature stays within 0.05 … 20; without rows it is 1.
    """

    def fit(self, logits: Floats, gold: Ints | Bools, kind: Kind) -> dict[str, float]:
        chosen = np.unique(np.linspace(0, len(logits) - 1, min(len(logits), MOST_ROWS)).astype(np.int64))
        scores = np.asarray(logits, dtype=np.float64)[chosen]
        _refuse_sick(scores)
        if not scores.size:
            return {"temperature": 1.0}
        slope = (_softmax_slope if kind == "softmax" else _sigmoid_slope)(scores, gold[chosen])
        return {"temperature": float(1.0 / _root(slope, 1.0 / HIGHEST, 1.0 / LOWEST))}

    def apply(self, logits: Floats, parameters: dict[str, float], kind: Kind) -> Floats:
        return probabilities(logits, parameters["temperature"], kind)


def _softmax_slope(scores: Floats, gold: Ints | Bools) -> Callable[[float], float]:
    """Slope of the loss in the inverse temperature b: E_p[z] − E_target[z], which only rises with b."""
    rows = np.arange(len(scores))
    scores = scores - scores.max(axis=1, keepdims=True)
    others = scores.copy()
    others[rows, gold] = -np.inf
    of_other = others.max(axis=1) if scores.shape[1] > 1 else scores[:, 0]
    doubt = 1.0 / (len(scores) + 2)
    wanted = float(np.mean((1.0 - doubt) * scores[rows, gold] + doubt * of_other))

    def slope(inverse: float) -> float:
        weights = np.exp(scores * inverse)
        return float(np.mean((weights * scores).sum(axis=1) / weights.sum(axis=1))) - wanted

    return slope


def _sigmoid_slope(scores: Floats, gold: Ints | Bools) -> Callable[[float], float]:
    """The same for yes-or-no decisions, all labels pooled: (sigmoid(b z) − target) z on average."""
    doubt = 1.0 / (scores.size + 2)
    target = np.where(gold, 1.0 - doubt, doubt)
    return lambda inverse: float(np.mean((probabilities(scores, 1.0 / inverse, "sigmoid") - target) * scores))


def _root(slope: Callable[[float], float], low: float, high: float) -> float:
    """Where the rising function `slope` crosses 0, or the nearer end; 1 when it is flat (all logits equal)."""
    from scipy.optimize import brentq

    at_low, at_high = slope(low), slope(high)
    if at_low == at_high == 0.0:
        return 1.0
    if at_low >= 0.0 or at_high <= 0.0:
        return low if at_low >= 0.0 else high
    return float(np.exp(brentq(lambda log: slope(float(np.exp(log))), np.log(low), np.log(high), xtol=1e-6)))


def _refuse_sick(scores: Floats) -> None:
    n_sick = int((~np.isfinite(scores).all(axis=1)).sum())
    if n_sick:
        raise SickRun(
            f"calibration: {n_sick:,} of {len(scores):,} dev rows have logits that are NaN or infinite, so the model "
            "is broken; train again with a lower train.learning_rate."
        )
