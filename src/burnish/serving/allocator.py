"""What the C library does with memory that was let go.

glibc keeps it for the next who asks, in an arena for each of many threads: a server whose versions come and go would
hold what versions that are gone have left in every one of them, in pieces between what others still use (mallopt(3),
malloc_trim(3)). Other C libraries are left as they are.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

M_ARENA_MAX = -8
M_MMAP_THRESHOLD = -3
M_TRIM_THRESHOLD = -1
MOST_ARENAS = 2
"""The main thread's, and one that all others share: those that compute ask for memory seldom."""
APART_BYTES = 128 << 10
"""From this size on a part of a model has a mapping of its own."""
USUAL_APART_BYTES = 32 << 20
"""The same of all else: what glibc comes to by itself in a process that lets large pieces go. What is computed in
between is asked for and let go again and again, and would pay for a new mapping each time."""
USUAL_KEPT_BYTES = 2 * USUAL_APART_BYTES
"""What stays at an arena's end, likewise."""


def settle() -> None:
    """Let no thread have an arena of its own from now on, and large pieces be treated alike from first to last."""
    _call("mallopt", M_ARENA_MAX, MOST_ARENAS)
    _call("mallopt", M_TRIM_THRESHOLD, USUAL_KEPT_BYTES)
    _call("mallopt", M_MMAP_THRESHOLD, USUAL_APART_BYTES)


@contextmanager
def apart() -> Iterator[None]:
    """What is asked for meanwhile, if it is not small, lies for itself and goes back to the system when it is let go;
    in the end so does what was asked for and let go meanwhile.
    """
    _call("mallopt", M_MMAP_THRESHOLD, APART_BYTES)
    try:
        yield
    finally:
        _call("mallopt", M_MMAP_THRESHOLD, USUAL_APART_BYTES)
        give_back()


def give_back() -> None:
    """Hand back to the system what nobody uses."""
    _call("malloc_trim", 0)


def _call(name: str, *numbers: int) -> None:
    called = getattr(ctypes.CDLL(None), name, None)
    if called is not None:
        called(*numbers)
