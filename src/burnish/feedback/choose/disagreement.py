"""The inputs that several models answer differently: the live one, and those that run in its shadow or as a canary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from burnish.core.errors import UserError
from burnish.feedback.choose._contract import Chooser
from burnish.feedback.choose._inputs import by_input, lowest
from burnish.feedback.golds import GOLDS, gold_in
from burnish.store.records import Prediction


class Disagreement(Chooser):
    """Query by committee with vote entropy (Dagan and Engelson 1995), each version one vote with its newest answer.

    Only inputs on which models disagree are chosen, so there may be fewer than asked for. Scores disagree from a tenth
    of a point on.
    """

    def refusal(self, predictions: Sequence[Prediction]) -> str | None:
        if any(len(_votes(predictions, own)) > 1 for own in by_input(predictions)):
            return None
        return (
            "disagreement needs inputs that at least two versions answered; let a candidate run in the shadow of "
            "production, or choose another way, such as margin."
        )

    def choose(self, predictions: Sequence[Prediction], n: int, draw: np.random.Generator) -> list[int]:
        if problem := self.refusal(predictions):
            raise UserError(problem)
        inputs = by_input(predictions)
        entropies = [_entropy(list(_votes(predictions, own).values())) for own in inputs]
        split = [place for place, entropy in enumerate(entropies) if entropy > 0]
        return lowest([inputs[place][0] for place in split], [-entropies[place] for place in split], n, draw)


def _votes(predictions: Sequence[Prediction], own: Sequence[int]) -> dict[int, Hashable]:
    """Version → what it said last of one input."""
    votes: dict[int, Hashable] = {}
    for index in sorted(own, key=lambda index: predictions[index].at):
        votes[predictions[index].version] = _said(predictions[index].answer)
    return votes


def _said(answer: Any) -> Hashable:
    """What an answer says, without its confidences; of several tasks what each says."""
    for column in GOLDS:
        found = gold_in(answer, column)
        if found is not None:
            return round(found, 1) if isinstance(found, float) else found
    if isinstance(answer, dict):
        return tuple(sorted((name, _said(inner)) for name, inner in answer.items() if isinstance(inner, dict)))
    return repr(answer)


def _entropy(votes: Sequence[Hashable]) -> float:
    shares = np.asarray(list(Counter(votes).values())) / len(votes)
    return max(0.0, -float((shares * np.log(shares)).sum()))
