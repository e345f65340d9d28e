"""A burst of one label, such as bad news, with a stated rate of false alarms (an exact test of clumped counts)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from pydantic import Field

from burnish.core.errors import listed
from burnish.monitoring.counting import Past, clumping_of
from burnish.monitoring.reference import Reference
from burnish.monitoring.rhythm import Rhythm, rhythm_of
from burnish.monitoring.watches._contract import Finding, Watch
from burnish.monitoring.watches._words import counted
from burnish.monitoring.window import Window

DAY_HOURS = 24.0


@dataclass(frozen=True)
class _Count:
    """How often one label came, beside its own past."""

    label: str
    n: int
    past: Past
    exposure: float
    clumping: float

    @property
    def expected(self) -> float:
        return self.past.expected(self.exposure)

    @property
    def p_value(self) -> float:
        return self.p_of(self.n)

    def p_of(self, n: int) -> float:
        """The chance of n or more."""
        return self.past.high(n, self.exposure, self.clumping)


class Spike(Watch):
    """Value: how often the most surprising label came. Threshold: how often it had to come to be called a burst.

    Every label of every window gets the same small chance of a false alarm, such that all of them together give
    `false_alarms_per_day` on average at most (Bonferroni): less where labels are rare. Windows must not overlap.
    """

    has_own_rate: ClassVar[bool] = True

    labels: tuple[str, ...] = ()
    """Labels to watch; empty: every label. Few labels leave each a larger share of the allowed false alarms."""

    false_alarms_per_day: float = Field(default=0.1, gt=0, le=24)
    """False alarms a day, on average, that are allowed: 0.1 is one in ten days."""

    least: int = Field(default=5, ge=2)
    """Times that a label must have come in the window to be called a burst."""

    least_history: int = Field(default=24, ge=8)
    """Past windows that are needed."""

    rhythm_hours: float = Field(default=24.0, ge=0)
    """After how many hours the day repeats itself: 24; 168 tells days of the week apart; 0: every hour is alike."""

    def look(self, window: Window, reference: Reference | None, history: Sequence[Window]) -> Finding | None:
        names = self.labels or _all_labels(window, reference, history)
        if len(history) < self.least_history or not names:
            return None
        allowed = min(1.0, self.false_alarms_per_day * window.hours / DAY_HOURS) / len(names)
        counts = sorted(_counts(names, window, history, self.rhythm_hours), key=lambda one: (one.p_value, one.label))
        bursts = [one for one in counts if one.n >= self.least and one.p_value <= allowed]
        limits = {one.label: self._limit(one, allowed) for one in bursts or counts[:1]}
        first = counts[0]
        return Finding(
            first.n,
            limits[first.label],
            first.p_value,
            first in bursts,
            _sentence(bursts or counts[:1], limits, f"{self.false_alarms_per_day:g} false alarms a day"),
            {"labels": {one.label: [one.n, round(one.expected, 3), limits[one.label]] for one in bursts or counts[:1]}}
            | {"watched_labels": len(names), "past_windows": len(history), "allowed_p": allowed},
        )

    def _limit(self, one: _Count, allowed: float) -> int:
        """The lowest count that is a burst, found by doubling and halving: the p-value falls as the count rises."""
        low, high = self.least - 1, max(self.least, round(one.expected))
        while one.p_of(high) > allowed:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if one.p_of(middle) <= allowed else (middle, high)
        return high


def _counts(names: Sequence[str], window: Window, history: Sequence[Window], hours: float) -> list[_Count]:
    rhythm = rhythm_of(window, history, hours)
    pasts = [_past(name, history, rhythm) for name in names]
    return [
        _Count(name, window.answers.labels.get(name, 0), past, rhythm.now, clumping)
        for name, past, clumping in zip(names, pasts, clumping_of(pasts), strict=True)
    ]


def _past(name: str, history: Sequence[Window], rhythm: Rhythm) -> Past:
    """A label's counts. As far as it makes the rhythm itself, that was fitted to it and is not known better than it."""
    counts = np.asarray([one.answers.labels.get(name, 0) for one in history], dtype=np.float64)
    everything = sum(one.answers.n_rows for one in history)
    share = float(counts.sum()) / everything if everything else 0.0
    return Past(counts, rhythm.past, n_fitted=1.0 + (rhythm.n_phases - 1) * min(1.0, share))


def _all_labels(window: Window, reference: Reference | None, history: Sequence[Window]) -> list[str]:
    known = set(window.answers.labels).union(*(one.answers.labels for one in history))
    return sorted(known | set(reference.answers.labels if reference else ()))


def _sentence(counts: Sequence[_Count], limits: Mapping[str, int], rate: str) -> str:
    first = counts[0]
    others = [f"'{one.label}' {one.n:,}" for one in counts[1:]]
    return (
        f"'{first.label}' came {counted(first.n, 'time')} where {first.expected:,.1f} were to be expected; from "
        f"{limits[first.label]:,} on it is a burst ({rate} allowed)." + (f" Also: {listed(others)}." if others else "")
    )
