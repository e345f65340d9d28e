"""Leave confidences as the model gives them."""

from __future__ import annotations

from burnish.evaluation.calibrations._contract import Calibration
from burnish.metrics._contract import Bools, Floats, Ints
from burnish.metrics._probabilities import Kind, probabilities


class NoCalibration(Calibration):
    """Temperature 1, whatever dev says."""

    def fit(self, logits: Floats, gold: Ints | Bools, kind: Kind) -> dict[str, float]:
        return {"temperature": 1.0}

    def apply(self, logits: Floats, parameters: dict[str, float], kind: Kind) -> Floats:
        return probabilities(logits, 1.0, kind)
