"""Answers that lie far apart, so that together they are near to all: k-center greedy on their vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import UserError
from burnish.feedback.choose._contract import Chooser
from burnish.feedback.choose._inputs import candidates
from burnish.store.records import Prediction


class Diverse(Chooser):
    """Core-set selection (Sener and Savarese 2018, arXiv 1708.00489, Algorithm 1): always the one that lies farthest
    from all that were chosen. The first is drawn. Takes time in proportion to n × the number of inputs.
    """

    def refusal(self, predictions: Sequence[Prediction]) -> str | None:
        if any(predictions[index].vector is not None for index in candidates(predictions)):
            return None
        return "diverse needs the vectors of answers, and none was kept; choose another way, such as random."

    def choose(self, predictions: Sequence[Prediction], n: int, draw: np.random.Generator) -> list[int]:
        if problem := self.refusal(predictions):
            raise UserError(problem)
        own = [index for index in candidates(predictions) if predictions[index].vector is not None]
        vectors = side_by_side([predictions[index].vector or () for index in own])
        return [own[place] for place in k_centers(vectors, n, int(draw.integers(len(own))))]


def side_by_side(vectors: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """[N, D] vectors, the shorter filled up with zeros: an older version knows nothing of labels that came later."""
    matrix = np.zeros((len(vectors), max(map(len, vectors), default=0)))
    for row, vector in enumerate(vectors):
        matrix[row, : len(vector)] = vector
    return matrix


def k_centers(vectors: NDArray[np.float64], n: int, first: int) -> list[int]:
    """At most `n` rows of [N, D], each the farthest from those before it, beginning with `first`."""
    chosen, nearest = list[int](), np.full(len(vectors), np.inf)
    while len(chosen) < min(n, len(vectors)):
        center = first if not chosen else int(nearest.argmax())
        chosen.append(center)
        nearest = np.minimum(nearest, np.square(vectors - vectors[center]).sum(axis=1))
        nearest[chosen] = -1  # of equal vectors none may come twice
    return chosen
