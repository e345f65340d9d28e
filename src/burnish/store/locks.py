"""A lock that all processes of one machine respect, and that a killed process lets go of."""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from burnish.store.faults import StoreUnavailable

WAIT_S = 10.0
"""How long anything of the store waits for another before it gives up."""
LONGEST_NAP_S = 0.005


@contextmanager
def locked(path: Path, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold the lock of a file.

    Raises:
        StoreUnavailable: somebody else holds it for longer than `wait_s`; a process that was stopped may.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:  # no more open files, no room, a folder that is gone
        raise StoreUnavailable(f"{path} cannot be locked ({error.strerror}).") from error
    try:
        _wait_for(descriptor, path, time.monotonic() + wait_s)
        yield
    finally:
        os.close(descriptor)  # which lets go of it


def _wait_for(descriptor: int, path: Path, deadline: float) -> None:
    """flock(2) itself waits for ever, so it is asked again and again; not in step with others who wait."""
    nap_s = 0.0002
    while not try_lock(descriptor):
        if time.monotonic() > deadline:
            raise StoreUnavailable(f"another process holds {path} for too long; is one stopped?")
        time.sleep(nap_s * random.uniform(0.5, 1.0))  # noqa: S311  # no secret
        nap_s = min(2 * nap_s, LONGEST_NAP_S)


def try_lock(descriptor: int) -> bool:
    """Take the lock of an open file if nobody has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
