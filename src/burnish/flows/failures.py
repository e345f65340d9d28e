"""Requests that failed: they leave no prediction, so they are counted, by the hour and for a day by the minute too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from burnish.store.home import Home
from burnish.store.states import put_state, read_state

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
MOST_HOURS, MOST_MINUTES = 24 * 40, 24 * 60
"""That are kept of a name: those in which something failed, the newest."""


def add_errors(home: Home, counts: Mapping[tuple[str, int], int]) -> None:
    """Add requests that failed, by name and minute since 1970."""
    with home.store.writing() as connection:
        home.store.take_turns(connection, "errors")
        for name in {name for name, _ in counts}:
            own = Counter({minute: count for (one, minute), count in counts.items() if one == name})
            hours = Counter[int]()
            for minute, count in own.items():
                hours[minute * MINUTE_S // HOUR_S] += count
            for place, further, most in (
                (f"errors {name}", hours, MOST_HOURS),
                (f"minutes {name}", own, MOST_MINUTES),
            ):
                known = further + Counter(_numbers(read_state(connection, place)))
                put_state(connection, place, {str(at): known[at] for at in sorted(known)[-most:]})


def errors_of(home: Home, name: str, start: float, end: float) -> int:
    """How many requests failed in [start, end) seconds since 1970: those of the hours that begin in it or, where it is
    shorter than an hour, of the minutes.
    """
    is_fine = end - start < HOUR_S
    place, unit_s = (f"minutes {name}", MINUTE_S) if is_fine else (f"errors {name}", HOUR_S)
    with home.store.reading() as connection:
        known = _numbers(read_state(connection, place))
    return sum(count for at, count in known.items() if start <= at * unit_s < end)


def _numbers(kept: Mapping[str, int] | None) -> dict[int, int]:
    return {int(at): count for at, count in (kept or {}).items()}
