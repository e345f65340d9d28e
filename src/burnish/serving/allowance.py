"""What a key may still ask: a bucket that fills through the minute, and a count of the day (UTC).

The bucket holds a minute's worth, so that a minute's worth may come at once. Workers of one server share both through
a few bytes of shared memory. There is no lock: of two that spend within the same microsecond one may not count.
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from burnish.serving.problems import Problem, too_many
from burnish.store.records import Key

MINUTE_S, DAY_S = 60.0, 86_400.0
TOKENS, FILLED_AT, N_TODAY, DAY = range(4)
N_BYTES = 4 * 8


class Numbers(Protocol):
    """The four numbers of an allowance; zeros at first."""

    def __getitem__(self, at: int, /) -> float: ...

    def __setitem__(self, at: int, number: float, /) -> None: ...


class Allowance:
    """Of one key that has a limit. `count_today` says what it had asked today before this server started."""

    def __init__(self, key: Key, count_today: Callable[[], int], folder: Path | None = None) -> None:
        self._per_minute = key.per_minute
        self._per_day = key.per_day
        self._numbers: Numbers = [0.0] * 4 if folder is None else _shared(folder / f"{key.id}.allowance")
        if self._per_day is not None and not self._numbers[DAY]:
            self._numbers[N_TODAY], self._numbers[DAY] = count_today(), _today()

    def spend(self, n_inputs: int) -> None:
        """Count inputs.

        Raises:
            Problem: the minute's or the day's are used up, or could never be enough; then nothing was counted.
        """
        self._refill()
        self._refuse(n_inputs)
        self._numbers[TOKENS] -= n_inputs
        self._numbers[N_TODAY] += n_inputs

    def give_back(self, n_inputs: int) -> None:
        """Inputs that were counted and not answered, because the server could not."""
        self._numbers[TOKENS] += n_inputs
        self._numbers[N_TODAY] = max(0.0, self._numbers[N_TODAY] - n_inputs)

    def _refuse(self, n_inputs: int) -> None:
        per_minute, per_day = self._per_minute, self._per_day
        for most, time_word in ((per_minute, "minute"), (per_day, "day")):
            if most is not None and n_inputs > most:
                raise Problem(
                    422,
                    f"one call has {n_inputs:,} inputs, and this key may ask {most:,} a {time_word}; ask for fewer.",
                )
        if per_minute is not None and n_inputs > self._numbers[TOKENS]:
            wait_s = (n_inputs - self._numbers[TOKENS]) / per_minute * MINUTE_S
            raise too_many(f"this key may ask {per_minute:,} inputs a minute; they are used up.", wait_s)
        if per_day is not None and self._numbers[N_TODAY] + n_inputs > per_day:
            wait_s = DAY_S - time.time() % DAY_S
            raise too_many(f"this key may ask {per_day:,} inputs a day; they are used up.", wait_s)

    def _refill(self) -> None:
        numbers, now, today = self._numbers, time.monotonic(), _today()
        if self._per_minute is not None:
            per_s = self._per_minute / MINUTE_S
            is_new = not numbers[FILLED_AT]
            grown = self._per_minute if is_new else numbers[TOKENS] + max(0.0, now - numbers[FILLED_AT]) * per_s
            numbers[TOKENS], numbers[FILLED_AT] = min(float(self._per_minute), grown), now
        if numbers[DAY] != today:
            numbers[N_TODAY], numbers[DAY] = 0.0, today


def _shared(file: Path) -> Numbers:
    """Numbers that all who open the file see."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(descriptor, N_BYTES)
        return memoryview(mmap.mmap(descriptor, N_BYTES)).cast("d")
    finally:
        os.close(descriptor)


def _today() -> float:
    return float(time.time() // DAY_S)
