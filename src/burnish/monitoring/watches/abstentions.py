"""More answers withheld, or inputs out of scope, than on the test rows (Fisher's exact test)."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from burnish.monitoring.reference import Reference
from burnish.monitoring.twosample import more_often
from burnish.monitoring.watches._contract import SURE, Finding, Watch
from burnish.monitoring.watches._ranks import LEAST_REFERENCE
from burnish.monitoring.watches._words import chance, percent
from burnish.monitoring.window import Window


class Abstentions(Watch):
    """Value: share of the window's inputs that got no sure answer, less that of the test rows."""

    points: float = Field(default=0.05, gt=0, lt=1)
    """Raised from this much larger a share on: 0.05 is five of a hundred inputs more."""

    least: int = Field(default=50, ge=10)
    """Inputs that are needed."""

    def look(self, window: Window, reference: Reference | None, history: Sequence[Window]) -> Finding | None:
        now = window.answers
        if reference is None or now.n_rows < self.least or reference.answers.n_rows < LEAST_REFERENCE:
            return None
        before = reference.answers
        share, usual = now.n_unsure / now.n_rows, before.n_unsure / before.n_rows
        p_value = more_often(now.n_unsure, now.n_rows, before.n_unsure, before.n_rows)
        return Finding(
            share - usual,
            self.points,
            p_value,
            share - usual >= self.points and p_value <= SURE,
            f"{now.n_unsure:,} of {now.n_rows:,} inputs got no sure answer ({percent(share)}); of the test rows "
            f"{percent(usual)} ({chance(p_value)}).",
            {"inputs": now.n_rows, "abstained": now.n_abstained, "out_of_scope": now.n_out_of_scope}
            | {"share": round(share, 5), "reference_share": round(usual, 5)},
        )
