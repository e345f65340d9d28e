"""Answers less sure than on the test rows (the rank test of Mann and Whitney)."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from burnish.monitoring.reference import Reference
from burnish.monitoring.watches._contract import SURE, Finding, Watch
from burnish.monitoring.watches._ranks import can_compare, compared
from burnish.monitoring.watches._words import chance, percent
from burnish.monitoring.window import Window


class Confidence(Watch):
    """Value: Cliff's delta of confidence, negative where the window's answers are less sure: −1 … 1."""

    delta: float = Field(default=0.15, gt=0, lt=1)
    """How much oftener an answer is less sure than that to a test row, than it is surer; 0.15 is called small."""

    least: int = Field(default=50, ge=10)
    """Answers with a confidence that are needed."""

    def look(self, window: Window, reference: Reference | None, history: Sequence[Window]) -> Finding | None:
        if reference is None or not can_compare(window.answers.confidence, reference.answers.confidence, self.least):
            return None
        now, before = window.answers.confidence, reference.answers.confidence
        delta, _, p_value = compared(now, before)
        return Finding(
            delta,
            -self.delta,
            p_value,
            delta <= -self.delta and p_value <= SURE,
            f"Mean confidence of {len(now):,} answers is {percent(now.mean)}; on the test rows it was "
            f"{percent(before.mean)} (delta {delta:+.2f}, {chance(p_value)}).",
            {"answers": len(now), "mean": round(now.mean, 5), "reference_mean": round(before.mean, 5)},
        )
