"""What the C library does with memory that was let go.

glibc keeps it for the next who asks, in an arena for each of many threads: a server whose versions come and go would
hold what versions that are gone have left in every one of them (mallopt(3), malloc_trim(3)). Other C libraries are left
as they are.
"""

from __future__ import annotations

import ctypes

M_ARENA_MAX = -8
MOST_ARENAS = 2
"""The main thread's, and one that all others share: those that compute ask for memory seldom."""


def bound_arenas() -> None:
    """Let no thread have an arena of its own from now on."""
    _call("mallopt", M_ARENA_MAX, MOST_ARENAS)


def give_back() -> None:
    """Hand back to the system what nobody uses."""
    _call("malloc_trim", 0)


def _call(name: str, *numbers: int) -> None:
    called = getattr(ctypes.CDLL(None), name, None)
    if called is not None:
        called(*numbers)
