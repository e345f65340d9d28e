"""Errors that tell a user where, what was got, what is allowed and what to do.

A `UserError` is the user's fault and ends a command with exit code 2 and no traceback. Everything that is
not a `BurnishError` is ours, and the command line says so.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MAX_FAULTS_SHOWN = 20


class BurnishError(Exception):
    """An error with a message made for a person and an exit code made for a script."""

    exit_code = 1


class UserError(BurnishError):
    """Something the user gave cannot be used. `faults` holds one sentence each."""

    exit_code = 2

    def __init__(self, *faults: str, n_more: int = 0) -> None:
        self.faults = faults
        self.n_more = n_more
        lines = list(faults)
        if n_more:
            lines.append(f"… and {n_more:,} more like these.")
        super().__init__("\n".join(lines))


class NotFound(UserError):
    """What was named is not there."""


class GateMissed(BurnishError):
    """The work was done, but the result misses a gate that the recipe set."""

    exit_code = 3


class SickRun(BurnishError):
    """Training went wrong (NaN, explosion, one class only) and was stopped before anything was published."""

    exit_code = 4


class Faults:
    """Collects faults so that all of them are reported at once: the first 20, and how many more."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.n_total = 0

    def add(self, fault: str) -> None:
        self.n_total += 1
        if len(self.shown) < MAX_FAULTS_SHOWN:
            self.shown.append(fault)

    def __bool__(self) -> bool:
        return self.n_total > 0

    def error(self) -> UserError:
        """What was collected, to be raised."""
        return UserError(*self.shown, n_more=self.n_total - len(self.shown))

    def raise_if_any(self) -> None:
        if self.n_total:
            raise self.error()


def hint(word: str, allowed: Iterable[str]) -> str:
    """` Did you mean 'x'?` when something allowed is near, else an empty string."""
    near = difflib.get_close_matches(str(word), list(allowed), n=1, cutoff=0.6)
    return f" Did you mean '{near[0]}'?" if near else ""


def listed(words: Iterable[object]) -> str:
    """`a, b, c` for use inside a sentence; long lists are cut."""
    items = [str(word) for word in words]
    return ", ".join(items[:20]) + (f" and {len(items) - 20} more" if len(items) > 20 else "")
