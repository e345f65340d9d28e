"""A lane: the bounded way of one model's requests to the crew that computes with it. It knows nothing of tasks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from burnish.serving.crew import LATE, Crew, Process, Work
from burnish.serving.problems import overloaded

FULL = "too much waits for this model; come back a little later."


class LaneClosed(Exception):
    """The version was taken out of service just now; another one answers."""


class Lane:
    """One model's requests: how many wait, and whether it takes more. What waits is in the queue of its crew, beside
    what waits of other lanes where several share one; then each one's `process` does the works of all.
    """

    def __init__(self, process: Process, most_waiting: int, crew: Crew) -> None:
        self.process = process
        self.n_waiting = 0
        self.seen: Callable[[int, int], None] = lambda n_items, n_waiting: None
        """Is told of every batch that holds something of it: its inputs, and how many of it still wait."""
        self.length_of: Callable[[Sequence[Any]], float] = lambda items: 0.0
        """About how much there is to compute for each of a request's inputs; like goes with like."""
        self._most_waiting = most_waiting
        self._crew = crew
        self._n_open = 0
        """Works that wait or are computed."""
        self._is_idle = threading.Condition(crew.lock)
        self._is_closed = False

    def is_full(self, n_coming: int) -> bool:
        """Whether there is no room for one input more, beside so many that are on their way."""
        return self.n_waiting + n_coming >= self._most_waiting

    async def ask(
        self, items: Sequence[Any], about: Any, deadline: float, is_gone: Callable[[], bool] = bool, *,
        is_alone: bool = False,
    ) -> Any:  # fmt: skip
        """What the model makes of some inputs.

        Raises:
            LaneClosed: it takes no more.
            Problem: too much waits already, or the deadline passed first.
        """
        loop = asyncio.get_running_loop()
        work = Work(self, items, about, deadline, loop, loop.create_future(), is_gone, is_alone)
        self.put(work)
        alarm = loop.call_later(max(0.0, deadline - time.monotonic()), _give_up, work)
        try:
            return await work.future
        finally:
            alarm.cancel()
            work.is_dropped = True  # nobody waits any more: if it was not computed, it is not

    def put(self, work: Work) -> None:
        """Queue some work.

        Raises:
            LaneClosed: it takes no more.
            Problem: too much waits already. More inputs than may wait are taken where nothing else does.
        """
        with self._crew.lock:
            if self._is_closed:
                raise LaneClosed
            if self.n_waiting and self.n_waiting + len(work.items) > self._most_waiting:
                raise overloaded(FULL)
            self.n_waiting += len(work.items)
            self._n_open += 1
            self._crew.put(work)

    def settled(self) -> None:
        """Be told that one of its works is answered, or that nobody waits for it."""
        with self._crew.lock:
            self._n_open -= 1
            if not self._n_open:
                self._is_idle.notify_all()

    def close(self) -> None:
        """Take no more; returns when all that waited is answered. Then nothing here holds on to the model: it is freed
        at once, and not when Python next looks for circles.
        """
        with self._crew.lock:
            if not self._is_closed:
                self._is_closed = True
                self._crew.leave()
        if self._crew.is_own_thread:
            return
        with self._crew.lock:
            self._is_idle.wait_for(lambda: not self._n_open)
        self._crew.wait_for_end()
        self.process, self.seen = _nothing, lambda n_items, n_waiting: None


def _give_up(work: Work) -> None:
    """A request is told when its time is over, also while the model is at it or hangs."""
    if not (work.future.done() or (work.is_alone and work.has_begun)):
        work.future.set_exception(overloaded(LATE))


def _nothing(batch: Sequence[Work]) -> Sequence[Any]:
    """What a lane does that has closed."""
    return [LaneClosed()] * len(batch)
