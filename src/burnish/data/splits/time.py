"""The newest rows are test, those before them dev, the rest train; duplicates stay with their first appearance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import Faults, UserError
from burnish.data.moments import WANTED, moment_of
from burnish.data.splits._allocation import Ints, Sides, units_of, wanted_rows
from burnish.data.splits._contract import DEV, TEST, TRAIN, Divisible, Split


class Time(Split):
    """Trains on the past, judges on the future. A text's time is when it was first seen; the seed changes nothing."""

    column: str
    """The column that holds each row's time: ISO dates (2024-01-31, 2024-01-31T12:00:00Z), or numbers."""

    format: str | None = None
    """How times are written if not so, in strptime's signs, e.g. `%d.%m.%Y`."""

    @property
    def column_name(self) -> str:
        return self.column

    def assign(self, rows: Divisible, dev: float, test: float, seed: int) -> NDArray[np.int8]:
        times = self._times(rows.column)
        units = units_of(rows.clusters)
        wanted = wanted_rows(units, dev, test, "different texts")
        first_seen = np.full(len(units.sizes), np.inf)
        np.minimum.at(first_seen, units.of_row, times)
        newest_first = np.lexsort((-units.first, -first_seen))  # of equal times, the later row counts as newer
        sides = np.empty(len(first_seen), np.int8)
        sides[newest_first] = _cut(units.sizes[newest_first], wanted)
        return sides[units.of_row]

    def _times(self, column: NDArray[Any] | None) -> NDArray[np.float64]:
        """[N] seconds since 1970 for dates, or the numbers themselves.

        Raises:
            UserError: no such column, values that are not times, or numbers mixed with dates.
        """
        if column is None:
            raise UserError(f"data.split: time needs the column '{self.column}', which the data does not have.")
        if column.dtype.kind == "M":  # numpy's own dates; NaT becomes a fault below
            column = np.array([None if np.isnat(value) else value.item() for value in column.astype("M8[us]")])
        faults = Faults()
        times = np.zeros(len(column))
        is_number = np.zeros(len(column), bool)
        for at, value in enumerate(column.tolist()):
            try:
                times[at], is_number[at] = moment_of(value, self.format)
            except (ValueError, OverflowError):
                faults.add(
                    f"data.split: row {at + 1:,}: {value!r} in the column '{self.column}' is not {self._wanted()}."
                )
        faults.raise_if_any()
        if is_number.any() and not is_number.all():
            odd = int(np.argmax(is_number != is_number[0]))
            raise UserError(
                f"data.split: the column '{self.column}' mixes numbers and dates: row 1 has {column[0]!r}, "
                f"row {odd + 1:,} has {column[odd]!r}; write all of them in one way."
            )
        return times

    def _wanted(self) -> str:
        if self.format:
            return f"a time written as {self.format}"
        return f"{WANTED}, or set the split's format"


def _cut(sizes: Ints, wanted: Ints) -> Sides:
    """[U] sides of units from the newest to the oldest: cut where the rows so far come nearest to what is wanted."""
    ends = np.cumsum(sizes)
    n_sides = int(np.count_nonzero(wanted))
    n_test = _units_up_to(ends, int(wanted[TEST]), len(sizes) - n_sides + 1)
    n_late = _units_up_to(ends, int(wanted[TEST] + wanted[DEV]), len(sizes) - 1)
    n_late = max(n_late, n_test + bool(wanted[DEV]))
    sides = np.full(len(sizes), TRAIN, np.int8)
    sides[:n_late] = DEV
    sides[:n_test] = TEST
    return sides


def _units_up_to(ends: Ints, n_rows: int, most: int) -> int:
    """How many units come nearest to `n_rows`: at least one if any row is wanted, and no more than `most`."""
    if n_rows == 0:
        return 0
    nearest = int(np.argmin(np.abs(ends - n_rows))) + 1
    return min(nearest, most)
