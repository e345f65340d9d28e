"""Correlation of two columns, safe where one of them is constant."""

from __future__ import annotations

import numpy as np

from burnish.metrics._contract import Floats


def correlation(first: Floats, second: Floats) -> float:
    """Pearson's r of two columns [N]; 0 with fewer than two rows or a constant column."""
    if len(first) < 2:
        return 0.0
    a, b = first - first.mean(), second - second.mean()
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(np.clip(a @ b / length, -1.0, 1.0)) if length > 0 else 0.0
