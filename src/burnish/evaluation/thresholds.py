"""The probability from which each label of a multilabel task is given."""

from __future__ import annotations

import numpy as np

from burnish.metrics._contract import Bools, Floats
from burnish.metrics._resampling import ratio

FALLBACK = 0.5
MIN_POSITIVES = 10  # fewer dev rows than this choose a threshold by luck (Fan and Lin 2007)


def best_thresholds(probabilities: Floats, gold: Bools, min_positives: int = MIN_POSITIVES) -> Floats:
    """[L] thresholds with the best F1 on dev, label by label; 0.5 for a label with fewer than `min_positives` rows.

    `probabilities` [M, L] are calibrated, `gold` is [M, L]. The threshold lies half-way between two neighbouring
    probabilities; of equally good ones the nearest to 0.5 is taken. S-cut (Yang 2001), guarded against rare labels.
    """
    return np.array(
        [
            _best(probabilities[:, label], gold[:, label]) if gold[:, label].sum() >= min_positives else FALLBACK
            for label in range(probabilities.shape[1])
        ]
    )


def _best(probability: Floats, gold: Bools) -> float:
    order = np.argsort(-probability, kind="stable")
    falling = probability[order]
    ends = np.flatnonzero(np.r_[np.diff(falling) != 0, True])
    n_right = np.cumsum(gold[order])[ends]
    f1 = ratio(2 * n_right, ends + 1 + gold.sum())
    below = np.r_[falling, 0.0][ends + 1]
    cuts = (falling[ends] + below) / 2
    best = np.flatnonzero(f1 == f1.max())
    # 0.5 itself when it gives the same labels as one of the best cuts
    inside = (below[best] < FALLBACK) & (falling[ends][best] >= FALLBACK)
    return FALLBACK if inside.any() else float(cuts[best[np.abs(cuts[best] - FALLBACK).argmin()]])
