"""Times as they stand in files: numbers, or dates; as seconds since 1970 they can be put in order."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WANTED = "a time; write ISO dates such as 2024-01-31 or 2024-01-31T12:00:00, or numbers"


def moment_of(value: object, form: str | None = None) -> tuple[float, bool]:
    """A time in seconds since 1970, or the number itself where it is one; and whether it is a plain number.

    `form` says how texts are written, in strptime's signs; None reads numbers and ISO dates.

    Raises:
        ValueError, OverflowError: it is no time.
    """
    if isinstance(value, date):
        return _seconds(value), False
    if isinstance(value, str) and form:
        return _seconds(datetime.strptime(value.strip(), form)), False
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _finite(float(value)), True
    if not isinstance(value, str):
        raise ValueError("neither a number nor a date")
    try:
        return _finite(float(value)), True
    except ValueError:
        return _seconds(datetime.fromisoformat(value.strip())), False


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _seconds(moment: date) -> float:
    """Seconds since 1970. A time without a zone is taken as UTC; a day as its beginning."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return _finite((aware - EPOCH).total_seconds())  # pandas' NaT is a date, too
