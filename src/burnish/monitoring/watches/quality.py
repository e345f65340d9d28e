"""More answers called wrong by feedback than on the test rows, or than in the past (Fisher's exact test)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from burnish.monitoring.reference import Reference
from burnish.monitoring.twosample import more_often
from burnish.monitoring.watches._contract import SURE, Finding, Watch
from burnish.monitoring.watches._words import chance, percent
from burnish.monitoring.window import Window


class Quality(Watch):
    """Value: share of the judged answers that feedback called wrong, less the share that is usual."""

    points: float = Field(default=0.05, gt=0, lt=1)
    """Raised from this much larger a share on: 0.05 is five of a hundred judged answers more."""

    least: int = Field(default=30, ge=10)
    """Judged answers that are needed, in the window and in what it is held against."""

    against: Literal["reference", "history"] = "reference"
    """`reference`: the accuracy on the test rows, right where people judge answers that were drawn at random.
    `history`: past windows, right where they choose for themselves what to correct, which is mostly mistakes."""

    def look(self, window: Window, reference: Reference | None, history: Sequence[Window]) -> Finding | None:
        n_usual_wrong, n_usual = self._usual(reference, history)
        n, n_wrong = window.n_judged, window.n_wrong
        if min(n, n_usual) < self.least:
            return None
        share, usual = n_wrong / n, n_usual_wrong / n_usual
        p_value = more_often(n_wrong, n, n_usual_wrong, n_usual)
        where = "on the test rows" if self.against == "reference" else "in the past windows"
        return Finding(
            share - usual,
            self.points,
            p_value,
            share - usual >= self.points and p_value <= SURE,
            f"Feedback called {n_wrong:,} of {n:,} judged answers wrong ({percent(share)}); {where} "
            f"{percent(usual)} were ({chance(p_value)}).",
            {"judged": n, "wrong": n_wrong, "share": round(share, 5), "usual_share": round(usual, 5)},
        )

    def _usual(self, reference: Reference | None, history: Sequence[Window]) -> tuple[int, int]:
        """Wrong and judged answers that the window is held against."""
        if self.against == "history":
            return sum(one.n_wrong for one in history), sum(one.n_judged for one in history)
        if reference is None or reference.accuracy is None:
            return 0, 0
        n = reference.answers.n_rows
        return round((1.0 - reference.accuracy) * n), n
