"""Threads that stand back: a model computes while nobody has to be heard."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Made = TypeVar("Made")
NICENESS = 5
"""More than the process has: the event loop, which takes requests in and refuses those for which there is no room, gets
a processor three times as often as each of the threads that compute (sched(7): a step is a factor of 1.25)."""


def standing_back(make: Callable[[], Made]) -> Made:
    """What `make` gives, made in a thread that stands back, as then do all threads that are started by it; its errors
    are raised here. On Linux only: elsewhere threads have no priority of their own.
    """
    with ThreadPoolExecutor(1, "background", _stand_back) as pool:
        return pool.submit(make).result()


def _stand_back() -> None:
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)
