"""More inputs with personal data than in the test rows (Fisher's exact test)."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from burnish.core.errors import listed
from burnish.monitoring.reference import Reference
from burnish.monitoring.twosample import more_often
from burnish.monitoring.watches._contract import SURE, Finding, Watch
from burnish.monitoring.watches._ranks import LEAST_REFERENCE
from burnish.monitoring.watches._words import chance, percent
from burnish.monitoring.window import Window


class PrivacyHits(Watch):
    """Value: share of the window's inputs with personal data, less that of the test rows."""

    points: float = Field(default=0.02, gt=0, lt=1)
    """Raised from this much larger a share on: 0.02 is two of a hundred inputs more."""

    least: int = Field(default=50, ge=10)
    """Inputs that are needed."""

    def look(self, window: Window, reference: Reference | None, history: Sequence[Window]) -> Finding | None:
        now = window.answers
        if reference is None or now.n_rows < self.least or reference.answers.n_rows < LEAST_REFERENCE:
            return None
        before = reference.answers
        share, usual = now.n_private / now.n_rows, before.n_private / before.n_rows
        p_value = more_often(now.n_private, now.n_rows, before.n_private, before.n_rows)
        kinds = sorted(now.private.items(), key=lambda item: (-item[1], item[0]))
        named = f": {listed(f'{kind} {n:,}' for kind, n in kinds[:5])}" if kinds else ""
        return Finding(
            share - usual,
            self.points,
            p_value,
            share - usual >= self.points and p_value <= SURE,
            f"{now.n_private:,} of {now.n_rows:,} inputs hold personal data ({percent(share)}{named}); of the test "
            f"rows {percent(usual)} ({chance(p_value)}).",
            {"inputs": now.n_rows, "with_personal_data": now.n_private, "kinds": dict(kinds)}
            | {"share": round(share, 5), "reference_share": round(usual, 5)},
        )
