"""More words that the model's vocabulary does not hold than in the test rows (the rank test of Mann and Whitney)."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from burnish.monitoring.reference import Reference
from burnish.monitoring.watches._contract import SURE, Finding, Watch
from burnish.monitoring.watches._ranks import can_compare, compared
from burnish.monitoring.watches._words import chance, percent
from burnish.monitoring.window import Window


class UnknownTokens(Watch):
    """Value: Cliff's delta of each input's share of unknown tokens: −1 … 1."""

    delta: float = Field(default=0.15, gt=0, lt=1)
    """How much oftener an input has a larger share of unknown tokens than a test row, than a smaller; 0.15 is small."""

    least: int = Field(default=50, ge=10)
    """Inputs that are needed."""

    def look(self, window: Window, reference: Reference | None, history: Sequence[Window]) -> Finding | None:
        now = window.answers.share_unknown
        if reference is None or not can_compare(now, reference.answers.share_unknown, self.least):
            return None
        before = reference.answers.share_unknown
        delta, p_value, _ = compared(now, before)
        return Finding(
            delta,
            self.delta,
            p_value,
            delta >= self.delta and p_value <= SURE,
            f"{percent(now.mean)} of the tokens of {len(now):,} inputs are not in the model's vocabulary; in the test "
            f"rows {percent(before.mean)} (delta {delta:+.2f}, {chance(p_value)}).",
            {"inputs": len(now), "mean": round(now.mean, 5), "reference_mean": round(before.mean, 5)},
        )
