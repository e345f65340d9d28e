"""The answers with the lowest confidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from burnish.feedback.choose._contract import Chooser
from burnish.feedback.choose._inputs import candidates, lowest
from burnish.store.records import Prediction


class LeastConfident(Chooser):
    """Uncertainty sampling (Lewis and Gale 1994). An answer without a confidence comes after those that have one."""

    def choose(self, predictions: Sequence[Prediction], n: int, draw: np.random.Generator) -> list[int]:
        own = candidates(predictions)
        confidences = [predictions[index].confidence for index in own]
        return lowest(own, [np.inf if one is None else one for one in confidences], n, draw)
