"""Inputs longer or shorter than the test rows (the rank test of Mann and Whitney)."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from burnish.monitoring.reference import Reference
from burnish.monitoring.watches._contract import SURE, Finding, Watch
from burnish.monitoring.watches._ranks import can_compare, compared
from burnish.monitoring.watches._words import chance
from burnish.monitoring.window import Window


class InputLength(Watch):
    """Value: Cliff's delta of the number of characters, either way: 0 … 1."""

    delta: float = Field(default=0.2, gt=0, lt=1)
    """How much oftener an input is longer than a test row, than it is shorter or the other way round; 0.15 is small."""

    least: int = Field(default=50, ge=10)
    """Inputs that are needed."""

    def look(self, window: Window, reference: Reference | None, history: Sequence[Window]) -> Finding | None:
        now = window.answers.n_characters
        if reference is None or not can_compare(now, reference.answers.n_characters, self.least):
            return None
        before = reference.answers.n_characters
        delta, longer, shorter = compared(now, before)
        p_value = min(1.0, 2.0 * min(longer, shorter))
        medians = now.quantile(0.5), before.quantile(0.5)
        return Finding(
            abs(delta),
            self.delta,
            p_value,
            abs(delta) >= self.delta and p_value <= SURE,
            f"Half of {len(now):,} inputs have at most {medians[0]:.0f} characters; of the test rows "
            f"{medians[1]:.0f} (delta {delta:+.2f}, {chance(p_value)}).",
            {"inputs": len(now), "median": round(medians[0], 1), "reference_median": round(medians[1], 1)}
            | {"delta": round(delta, 4)},
        )
