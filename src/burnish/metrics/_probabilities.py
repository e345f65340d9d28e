"""Logits → probabilities, the same arithmetic wherever a model is judged or served. numpy only."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from burnish.metrics._contract import Floats

Kind = Literal["softmax", "sigmoid"]
TINY = 1e-12  # nearer to 0 or 1 than this nothing is told apart
LEAD = 1e-6  # what a winner keeps before the runner-up, however far it is bent


class Bend(NamedTuple):
    """How a probability p is bent: logit(p′) = `low` ln p − `high` ln(1 − p) + `offset`; (1, 1, 0) changes nothing.

    The beta map (Kull, Silva Filho and Flach 2017, AISTATS). It rises with p, as neither slope is negative.
    """

    low: float = 1.0
    high: float = 1.0
    offset: float = 0.0

    def logit(self, p: Floats, rest: Floats) -> Floats:
        """The bent logit of p; `rest` is 1 − p, given apart because it is exact where p is almost 1."""
        return np.asarray(
            self.low * np.log(np.maximum(p, TINY)) - self.high * np.log(np.maximum(rest, TINY)) + self.offset
        )


def probabilities(
    logits: ArrayLike, temperature: float, kind: Kind, low: float = 1.0, high: float = 1.0, offset: float = 0.0
) -> Floats:
    """[…, L] calibrated probabilities of logits [..., L]: softmax or sigmoid of `logits / temperature`, bent.

    Softmax bends the winner's probability and shares what is left among the others in proportion; it never bends so
    far that another would win. Sigmoid bends each probability. A calibration's stored parameters are these arguments:
    `probabilities(z, kind=kind, **them)`. Computed in float64 and without overflow for any finite logits, so that
    judge, bundle and server agree to the bit.
    """
    scores = np.asarray(logits, dtype=np.float64) / temperature
    bend = Bend(low, high, offset)
    if kind == "sigmoid":
        plain = _sigmoid(scores)
        return plain if bend == Bend() else _sigmoid(bend.logit(plain, _sigmoid(-scores)))
    plain = _softmax(scores)
    return plain if bend == Bend() or plain.shape[-1] < 2 else _bent(plain, bend)


def _bent(plain: Floats, bend: Bend) -> Floats:
    order = np.argsort(plain, axis=-1)
    top = order[..., -1:]
    others = plain.copy()
    np.put_along_axis(others, top, 0.0, axis=-1)
    winner, rest = np.take_along_axis(plain, top, axis=-1), others.sum(axis=-1, keepdims=True)
    second = np.take_along_axis(plain, order[..., -2:-1], axis=-1)
    wanted = _sigmoid(bend.logit(winner, rest))
    least = second / np.maximum(rest + second, TINY)  # where the runner-up would draw level
    kept = np.maximum(wanted, least + LEAD)
    shared = others * ((1.0 - kept) / np.maximum(rest, TINY))
    np.put_along_axis(shared, top, 1.0 - shared.sum(axis=-1, keepdims=True), axis=-1)
    return np.asarray(shared)


def _sigmoid(scores: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0.0, -scores)))


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
