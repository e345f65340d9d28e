"""How busy an interval usually is: by the hour of the day, once the past is long enough to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from burnish.monitoring.window import HOUR_S, Window

LEAST_DAYS = 3  # times that each hour must have been seen
LEAST_SHARE = 0.01  # an hour in which nothing ever came is taken to be this busy, beside the mean


@dataclass(frozen=True)
class Rhythm:
    """Exposures of the newest window and of the [K] past ones."""

    now: float
    past: NDArray[np.float64]
    like_now: NDArray[np.bool_]
    """[K] those of the same hour of the day; all of them where no rhythm is known."""
    n_phases: int
    """Hours of the day that were told apart; 1 where none were."""


def rhythm_of(window: Window, history: Sequence[Window], rhythm_hours: float) -> Rhythm:
    """Usual inputs of each window's hour of the day, or just its length where one of these was seen less than thrice.

    `rhythm_hours` is how long a day is: 24; 168 tells the days of the week apart too; 0 means that no rhythm is wanted.
    """
    hours = np.asarray([one.hours for one in history])
    flat = Rhythm(window.hours, hours, np.ones(len(history), bool), 1)
    if rhythm_hours <= 0.0 or not history:
        return flat
    phase = np.asarray([_phase(one, rhythm_hours) for one in history])
    seen, place, times = np.unique(phase, return_inverse=True, return_counts=True)
    now = _phase(window, rhythm_hours)
    if now not in seen or times.min() < LEAST_DAYS:
        return flat
    rates = np.asarray([one.answers.n_rows for one in history]) / hours
    if not rates.any():
        return flat
    usual = np.bincount(place, rates) / times
    usual = np.maximum(usual, LEAST_SHARE * usual.mean())
    at = int(np.searchsorted(seen, now))
    return Rhythm(float(usual[at]) * window.hours, usual[place] * hours, phase == now, len(seen))


def _phase(window: Window, rhythm_hours: float) -> int:
    return int(window.start / HOUR_S % rhythm_hours / window.hours + 1e-6)
