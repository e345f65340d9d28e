"""The desk where requests wait for the database: threads of its own, and a bound on what waits.

A database that hangs, and does not say so, holds every thread that asks it. Those are not the ones that check tokens,
load models and count, so that whatever needs no database goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import BoundedSemaphore
from typing import ParamSpec, TypeVar

from burnish.serving.problems import overloaded

N_THREADS = 4
MOST_AT_ONCE = 256
"""Of what is done and what waits, together."""

Given = ParamSpec("Given")
Found = TypeVar("Found")


class Desk:
    """Does for requests what may have to wait for the database."""

    def __init__(self, n_threads: int = N_THREADS, most_at_once: int = MOST_AT_ONCE) -> None:
        self._threads = ThreadPoolExecutor(n_threads, "store")
        self._room = BoundedSemaphore(most_at_once)

    async def do(self, verb: Callable[Given, Found], *given: Given.args, **named: Given.kwargs) -> Found:
        """What a verb gives, in a thread. Its room is taken until it has ended, also where nobody waits any more.

        Raises:
            Problem: too much waits already; nothing was done.
        """
        if not self._room.acquire(blocking=False):
            raise overloaded("too much waits for the store now; nothing was changed.", 2)
        doing = self._threads.submit(partial(verb, *given, **named))
        doing.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(doing)

    def close(self) -> None:
        """Begin nothing more; what hangs is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
