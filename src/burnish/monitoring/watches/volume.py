"""Many more or many fewer inputs than usual at this hour (an exact test of counts that come in clumps)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from burnish.monitoring.counting import Past, clumping_of
from burnish.monitoring.reference import Reference
from burnish.monitoring.rhythm import rhythm_of
from burnish.monitoring.watches._contract import SURE, Finding, Watch
from burnish.monitoring.watches._words import chance, counted, times
from burnish.monitoring.window import Window

LEAST_EXPECTED = 10.0  # inputs; of fewer, none at all is not unusual


class Volume(Watch):
    """Value: how many times more, or how many times fewer, inputs came than is usual at this hour of the day."""

    factor: float = Field(default=2.0, gt=1)
    """Raised from this many times more, or fewer, inputs than usual on."""

    least_history: int = Field(default=24, ge=4)
    """Past windows that are needed."""

    rhythm_hours: float = Field(default=24.0, ge=0)
    """After how many hours the day repeats itself: 24; 168 tells days of the week apart; 0: every hour is alike."""

    def look(self, window: Window, reference: Reference | None, history: Sequence[Window]) -> Finding | None:
        if len(history) < self.least_history:
            return None
        rhythm = rhythm_of(window, history, self.rhythm_hours)
        counts = np.asarray([one.answers.n_rows for one in history], dtype=np.float64)
        clumping = clumping_of([Past(counts, rhythm.past, n_fitted=rhythm.n_phases)])[0]
        alike = Past(counts[rhythm.like_now], rhythm.past[rhythm.like_now])
        usual, n = alike.expected(rhythm.now), window.answers.n_rows
        if usual < LEAST_EXPECTED:
            return None
        p_value = min(1.0, 2.0 * min(alike.high(n, rhythm.now, clumping), alike.low(n, rhythm.now, clumping)))
        off = max(n / usual, usual / max(n, 0.5))  # where none came, half an input stands for it
        return Finding(
            off,
            self.factor,
            p_value,
            off >= self.factor and p_value <= SURE,
            f"{_came(n)}, {_beside(n / usual)} usual for this hour ({counted(usual, 'input')}; {chance(p_value)}).",
            {"inputs": n, "usual": round(usual, 2), "clumping": round(clumping, 3), "past_windows": len(history)},
        )


def _came(n: int) -> str:
    return counted(n, "input") + " came" if n else "No input came"


def _beside(ratio: float) -> str:
    if ratio >= 1.0:
        return f"{times(ratio)} what is"
    return "where some are" if ratio == 0.0 else f"{100 * ratio:.0f} % of what is"
