"""Answers drawn by chance: the only ones from which an honest estimate of quality can be made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from burnish.feedback.choose._contract import Chooser
from burnish.feedback.choose._inputs import by_input
from burnish.store.records import Prediction


class Random(Chooser):
    """Each prediction is as likely to be drawn, so an input that comes often is drawn as often as users meet it; a
    second draw of one input is passed over.
    """

    def choose(self, predictions: Sequence[Prediction], n: int, draw: np.random.Generator) -> list[int]:
        tickets = [
            own[0]
            for own in by_input(predictions)
            for _ in range(max(1, sum(predictions[index].traffic == "live" for index in own)))
        ]
        drawn = dict.fromkeys(tickets[place] for place in draw.permutation(len(tickets)))
        return list(drawn)[: max(n, 0)]
