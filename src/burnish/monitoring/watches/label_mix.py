"""Labels given in other shares than on the test rows (stability index, and Pearson's chi-square test)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from burnish.core.errors import listed
from burnish.monitoring.reference import Reference
from burnish.monitoring.twosample import chi_square_test, psi
from burnish.monitoring.watches._contract import SURE, Finding, Watch
from burnish.monitoring.watches._words import chance, percent
from burnish.monitoring.window import Window

N_NAMED = 3
N_KEPT = 10


class LabelMix(Watch):
    """Value: the population stability index (PSI) of the labels, without what chance alone gives it."""

    psi: float = Field(default=0.1, gt=0)
    """Raised from this index on; 0.1 is usually called a moderate change, 0.25 a large one."""

    least: int = Field(default=50, ge=20)
    """Labelled answers that are needed."""

    def look(self, window: Window, reference: Reference | None, history: Sequence[Window]) -> Finding | None:
        now = window.answers.labels
        before = reference.answers.labels if reference else {}
        n, n_before = sum(now.values()), sum(before.values())
        if n < self.least or n_before < self.least:
            return None
        names, counts, usual = side_by_side(now, before)
        index = psi(counts, usual)
        statistic, freedom, p_value = chi_square_test(counts, usual)
        moved = np.abs(counts / n - usual / n_before)
        furthest = [(names[at], usual[at] / n_before, counts[at] / n) for at in np.argsort(-moved, kind="stable")]
        told = listed(f"'{name}' {percent(old)} → {percent(new)}" for name, old, new in furthest[:N_NAMED])
        return Finding(
            index,
            self.psi,
            p_value,
            index >= self.psi and p_value <= SURE,
            f"Label shares of {n:,} answers lie {index:.2f} (PSI) from the test rows' ({chance(p_value)}); furthest: "
            f"{told}.",
            {"answers": n, "chi_square": round(statistic, 3), "degrees_of_freedom": freedom}
            | {"moved": {name: [round(float(old), 5), round(float(new), 5)] for name, old, new in furthest[:N_KEPT]}},
        )


def side_by_side(
    now: Mapping[str, int], before: Mapping[str, int]
) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """The L labels of either, and [L] counts of both."""
    names = sorted({*now, *before})
    return (
        names,
        np.asarray([now.get(name, 0) for name in names], dtype=np.int64),
        np.asarray([before.get(name, 0) for name in names], dtype=np.int64),
    )
