"""The answers whose first and second choice are nearest to each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from burnish.feedback.choose._contract import Chooser
from burnish.feedback.choose._inputs import candidates, lowest
from burnish.store.records import Prediction

ROUNDING = 0.02
"""How far the sum of rounded probabilities may be from 1."""


class Margin(Chooser):
    """Margin sampling (Scheffer, Decomain and Wrobel 2001): where the model wavers between two labels.

    With many labels a low confidence may mean that many are a little likely; a small margin means that one word of a
    person settles it. The margin is read from the runners-up of the answer, else from the vector where that holds
    probabilities; answers without either come last.
    """

    def choose(self, predictions: Sequence[Prediction], n: int, draw: np.random.Generator) -> list[int]:
        own = candidates(predictions)
        return lowest(own, [_margin(predictions[index]) for index in own], n, draw)


def _margin(prediction: Prediction) -> float:
    answer: Any = prediction.answer if isinstance(prediction.answer, dict) else {}
    second = answer.get("runners_up")
    if second and prediction.confidence is not None:
        return float(prediction.confidence - second[0]["confidence"])
    vector = np.asarray(prediction.vector if prediction.vector is not None else [], float)
    if len(vector) < 2 or vector.min() < 0 or abs(vector.sum() - 1) > ROUNDING:
        return np.inf
    lesser, most = np.sort(vector)[-2:]
    return float(most - lesser)
