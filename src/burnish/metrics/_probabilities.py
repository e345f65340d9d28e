"""Logits → probabilities, the same arithmetic wherever a model is judged or served. numpy only."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from burnish.metrics._contract import Floats

Kind = Literal["softmax", "sigmoid"]


def probabilities(
    logits: ArrayLike, temperature: float, kind: Kind, share_raw: float = 0.0, share_even: float = 0.0
) -> Floats:
    """[…, L] calibrated probabilities of logits [..., L]: softmax or sigmoid of `logits / temperature`.

    `share_raw` of the result is mixed in from the uncalibrated probabilities, `share_even` from "no idea" (1/L each,
    or 0.5 for sigmoid). A calibration's stored parameters are these arguments: `probabilities(z, kind=kind, **them)`.
    Computed in float64 and without overflow for any finite logits, so that judge, bundle and server agree to the bit.
    """
    raw = np.asarray(logits, dtype=np.float64)
    mixed = _activate(raw / temperature, kind)
    if share_raw or share_even:
        even = 0.5 if kind == "sigmoid" else 1.0 / raw.shape[-1]
        mixed = (1.0 - share_raw - share_even) * mixed + share_raw * _activate(raw, kind) + share_even * even
    return mixed


def _activate(scores: Floats, kind: Kind) -> Floats:
    if kind == "sigmoid":
        return np.asarray(np.exp(-np.logaddexp(0.0, -scores)))
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
