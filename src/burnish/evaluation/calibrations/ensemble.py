"""A temperature mixed with the raw and with even probabilities: fits where one temperature cannot."""

from __future__ import annotations

import numpy as np

from burnish.evaluation.calibrations._contract import Calibration
from burnish.evaluation.calibrations.temperature import HIGHEST, LOWEST, Temperature
from burnish.metrics._contract import Bools, Floats, Ints
from burnish.metrics._probabilities import Kind, probabilities

N_ROUNDS = 300  # of expectation maximisation over three shares; moves in the last ones are below 1e-4
MOST_ROWS = 10_000


class Ensemble(Calibration):
    """Ensemble temperature scaling (Zhang, Kailkhura and Han 2020, arXiv 2003.07329).

    p = (1 − r − e) softmax(z / T) + r softmax(z) + e / L keeps which label wins. `share_even` takes up errors that no
    confidence foresees, so that T need not stretch for them. T is searched around the plain temperature; for each T the
    shares are found by expectation maximisation, with one row's worth of belief in the plain temperature. Try it when
    the report says that the error after `temperature` is still above 2 %; it needs a dev set of some hundred rows.
    """

    def fit(self, logits: Floats, gold: Ints | Bools, kind: Kind) -> dict[str, float]:
        chosen = np.unique(np.linspace(0, len(logits) - 1, min(len(logits), MOST_ROWS)).astype(np.int64))
        scores, truth = np.asarray(logits, dtype=np.float64)[chosen], gold[chosen]
        plain = Temperature().fit(scores, truth, kind)["temperature"]
        if not scores.size:
            return {"temperature": plain, "share_raw": 0.0, "share_even": 0.0}
        raw = _of_gold(scores, truth, 1.0, kind)
        even = np.full_like(raw, 0.5 if kind == "sigmoid" else 1.0 / scores.shape[-1])
        tries = np.clip(plain * np.exp(np.linspace(-1.0, 1.0, 21)), LOWEST, HIGHEST)
        found = [_shares(np.stack([_of_gold(scores, truth, one, kind), raw, even])) for one in tries]
        best = int(np.argmax([likelihood for _, likelihood in found]))
        _, share_raw, share_even = found[best][0]
        return {"temperature": float(tries[best]), "share_raw": float(share_raw), "share_even": float(share_even)}

    def apply(self, logits: Floats, parameters: dict[str, float], kind: Kind) -> Floats:
        return probabilities(logits, kind=kind, **parameters)


def _of_gold(scores: Floats, gold: Ints | Bools, temperature: float, kind: Kind) -> Floats:
    """[D] probability given to what is true: of each row's gold label, or of each yes-or-no decision."""
    given = probabilities(scores, temperature, kind)
    if kind == "sigmoid":
        return np.where(gold, given, 1.0 - given).ravel()
    return np.asarray(given[np.arange(len(given)), gold])


def _shares(parts: Floats) -> tuple[Floats, float]:
    """Shares of three fixed components [3, D] that make the truth most likely, and the log-likelihood reached."""
    shares, belief = np.array([0.8, 0.1, 0.1]), np.array([1.0, 0.0, 0.0])
    for _ in range(N_ROUNDS):
        mixed = np.maximum(shares @ parts, np.finfo(float).tiny)
        shares = (shares * (parts / mixed).sum(axis=1) + belief) / (parts.shape[1] + 1)
        shares /= shares.sum()
    return shares, float(np.log(np.maximum(shares @ parts, np.finfo(float).tiny)).sum() + np.log(shares[0]))
