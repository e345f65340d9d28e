"""A temperature, then a curve of three numbers: fits where the sure are surer than one temperature allows."""

from __future__ import annotations

import numpy as np

from burnish.evaluation.calibrations._contract import Calibration
from burnish.evaluation.calibrations.temperature import Temperature
from burnish.metrics._contract import Bools, Floats, Ints
from burnish.metrics._probabilities import Bend, Kind, probabilities

LEAST_SLOPE = 0.05  # a flat curve would make all confidences equal
MOST_ROWS = 50_000
NEAREST = 1e-6  # to 0 or 1: one sure mistake must not decide the curve


class Beta(Calibration):
    """Beta calibration (Kull, Silva Filho and Flach 2017) of the winner's probability; never changes who wins.

    One temperature must trade mistakes of the half-sure against modesty of the sure. The curve logit(p′) =
    low ln p − high ln(1 − p) + offset bends the two ends apart. It is fitted by maximum likelihood of "the winner was
    right", with one row's worth of belief in no bend, so that a small dev set bends little. Choose it over
    `temperature` when the report's reliability diagram is S-shaped; it wants some hundred dev rows with mistakes.
    """

    def fit(self, logits: Floats, gold: Ints | Bools, kind: Kind) -> dict[str, float]:
        chosen = np.unique(np.linspace(0, len(logits) - 1, min(len(logits), MOST_ROWS)).astype(np.int64))
        scores, truth = np.asarray(logits, dtype=np.float64)[chosen], gold[chosen]
        found = Temperature().fit(scores, truth, kind)
        if not scores.size:
            return {**found, **Bend()._asdict()}
        given = probabilities(scores, found["temperature"], kind)
        if kind == "sigmoid":
            return {**found, **_bend(given.ravel(), np.asarray(truth, bool).ravel())._asdict()}
        return {**found, **_bend(given.max(axis=-1), given.argmax(axis=-1) == truth)._asdict()}

    def apply(self, logits: Floats, parameters: dict[str, float], kind: Kind) -> Floats:
        return probabilities(logits, kind=kind, **parameters)


def _bend(given: Floats, came_true: Bools) -> Bend:
    """The most likely bend for probabilities [D] and what came true [D]."""
    from scipy.optimize import minimize

    p = np.clip(given, NEAREST, 1.0 - NEAREST)
    slopes = np.stack([np.log(p), -np.log1p(-p), np.ones_like(p)])
    sign = np.where(came_true, 1.0, -1.0)
    plain = np.array([1.0, 1.0, 0.0])

    def loss(bend: Floats) -> tuple[float, Floats]:
        """Negative log-likelihood with the belief, and its gradient."""
        margin = sign * (bend @ slopes)
        missing = np.exp(-np.logaddexp(0.0, margin))  # probability given to what did not come true
        value = np.logaddexp(0.0, -margin).sum() + np.square(bend - plain).sum() / 2
        return float(value), -(slopes * (sign * missing)).sum(axis=1) + (bend - plain)

    bounds = [(LEAST_SLOPE, None), (LEAST_SLOPE, None), (None, None)]
    found = minimize(loss, plain, jac=True, method="L-BFGS-B", bounds=bounds).x
    return Bend(*(float(number) for number in found))
