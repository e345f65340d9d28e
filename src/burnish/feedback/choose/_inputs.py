"""The inputs behind predictions: each once, whatever model answered it and however often it came."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from burnish.store.records import Prediction


def by_input(predictions: Sequence[Prediction]) -> list[list[int]]:
    """The indices of each kept input's predictions, those of live traffic first."""
    grouped: dict[str, list[int]] = {}
    for index, one in enumerate(predictions):
        if one.input is not None:
            grouped.setdefault(one.input_digest or one.id, []).append(index)
    return [sorted(own, key=lambda index: predictions[index].traffic != "live") for own in grouped.values()]


def candidates(predictions: Sequence[Prediction]) -> list[int]:
    """The prediction that stands for each kept input: its first live one."""
    return [own[0] for own in by_input(predictions)]


def lowest(indices: Sequence[int], scores: Sequence[float], n: int, draw: np.random.Generator) -> list[int]:
    """The `n` indices of the lowest scores, lowest first; ties in an order that `draw` gives."""
    shuffled = draw.permutation(len(indices))
    order = shuffled[np.argsort(np.asarray(scores, float)[shuffled], kind="stable")]
    return [indices[place] for place in order[: max(n, 0)]]
