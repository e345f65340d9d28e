"""Answers or embeddings that lie elsewhere than those of the test rows (energy distance, with a permutation test)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from burnish.monitoring.reference import Reference
from burnish.monitoring.twosample import energy_test
from burnish.monitoring.watches._contract import SURE, Finding, Watch
from burnish.monitoring.watches._words import chance
from burnish.monitoring.window import Window


class Drift(Watch):
    """Value: the energy coefficient of the window's vectors and those of the test rows: 0 equal, 1 entirely apart."""

    distance: float = Field(default=0.001, gt=0, lt=1)
    """Raised from this coefficient on. It is small where labels are many: probabilities of 150 labels of which a fifth
    comes from elsewhere lie 0.002 away, of two labels ten times that."""

    n_permutations: int = Field(default=499, ge=99, le=9999)
    """Random divisions that the distance is compared with; the p-value is never below 1 / (this + 1)."""

    least: int = Field(default=50, ge=10)
    """Vectors that are needed, in the window and of the test rows; at most 500 of each are looked at."""

    seed: int = 7
    """Draws the divisions."""

    def look(self, window: Window, reference: Reference | None, history: Sequence[Window]) -> Finding | None:
        now = window.answers.vectors
        before = reference.answers.vectors if reference else now[:0]
        if min(len(now), len(before)) < self.least or now.shape[1] != before.shape[1]:
            return None
        draw = np.random.default_rng(self.seed)
        value, p_value = energy_test(now.astype(np.float64), before.astype(np.float64), self.n_permutations, draw)
        return Finding(
            value,
            self.distance,
            p_value,
            value >= self.distance and p_value <= SURE,
            f"The vectors of {len(now):,} answers lie {value:.3f} from those of the test rows, where 0 is no distance "
            f"and 1 the largest ({chance(p_value)}).",
            {"vectors": len(now), "reference_vectors": len(before), "dimensions": int(now.shape[1])},
        )
