"""A lane: a bounded queue before one model, and the threads that take from it what is there.

No timer: while the model works, what arrives gathers, and all of it (up to a batch) is the next batch. So a lone
request waits for nothing, and batches grow with the load by themselves. A model that computes several batches side by
side has as many threads: while some of its callers read what they got, it works for the others. A lane knows nothing of
tasks.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from burnish.serving.problems import overloaded


@dataclass(eq=False)
class Work:
    """What one request asks of a model, and who waits for it."""

    items: Sequence[Any]
    about: Any
    deadline: float
    """On the clock of `time.monotonic`."""
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    is_gone: Callable[[], bool] = bool
    """Whether whoever waited has left."""
    is_alone: bool = False
    """It makes a batch of its own, and once it has begun it may take longer than the deadline: text that is written."""
    has_begun: bool = False
    is_dropped: bool = False
    """Nobody waits any more."""


Process = Callable[[Sequence[Work]], Sequence[Any]]
"""Batch of works → one result each. Runs in the lane's thread."""
FULL = "too much waits for this model; come back a little later."
LATE = "the request's time was over before it was answered; give it more, or come back later."


class LaneClosed(Exception):
    """The version was taken out of service just now; another one answers."""


class Lane:
    """One model's queue and threads."""

    def __init__(self, process: Process, most_waiting: int, most_at_once: int, n_threads: int = 1) -> None:
        self._process = process
        self._most_waiting = most_waiting
        self._most_at_once = most_at_once
        self._queue: deque[Work] = deque()
        self._n_waiting = 0
        self._has_more = threading.Condition()
        self._is_closed = False
        self.seen: Callable[[int, int], None] = lambda n_items, n_waiting: None
        """Is told of every batch: its inputs, and how many still wait."""
        self._threads = [threading.Thread(target=self._run, name="lane", daemon=True) for _ in range(n_threads)]
        for thread in self._threads:
            thread.start()

    @property
    def n_waiting(self) -> int:
        return self._n_waiting

    @property
    def is_full(self) -> bool:
        """Whether there is no room for one input more."""
        return self._n_waiting >= self._most_waiting

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
        work = Work(items, about, deadline, loop, loop.create_future(), is_gone, is_alone)
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
        with self._has_more:
            if self._is_closed:
                raise LaneClosed
            if self._n_waiting and self._n_waiting + len(work.items) > self._most_waiting:
                raise overloaded(FULL)
            self._queue.append(work)
            self._n_waiting += len(work.items)
            self._has_more.notify()

    def close(self) -> None:
        """Take no more; returns when all that waited is answered. Then nothing here holds on to the model: it is freed
        at once, and not when Python next looks for circles.
        """
        with self._has_more:
            self._is_closed = True
            self._has_more.notify_all()
        if threading.current_thread() not in self._threads:
            for thread in self._threads:
                thread.join()
            self._process, self.seen = _nothing, lambda n_items, n_waiting: None

    def _run(self) -> None:
        while (batch := self._take()) is not None:
            with suppress(Exception):  # whoever counts must not end the lane
                self.seen(sum(len(work.items) for work in batch), self._n_waiting)
            _settle(batch, self._results(batch))

    def _take(self) -> list[Work] | None:
        """The next batch, once there is one; None when the lane is closed and empty."""
        with self._has_more:
            while True:
                while not self._queue and not self._is_closed:
                    self._has_more.wait()
                if not self._queue:
                    return None
                batch, late = self._popped()
                if late:
                    _settle(late, [overloaded(LATE) for _ in late])
                if batch:
                    return batch

    def _popped(self) -> tuple[list[Work], list[Work]]:
        batch: list[Work] = []
        late: list[Work] = []
        n_items, now = 0, time.monotonic()
        while self._queue and (not batch or self._fits(self._queue[0], batch, n_items)):
            work = self._queue.popleft()
            self._n_waiting -= len(work.items)
            if work.is_dropped:
                continue
            if now > work.deadline or work.is_gone():
                late.append(work)
                continue
            work.has_begun = True
            batch.append(work)
            n_items += len(work.items)
        return batch, late

    def _fits(self, work: Work, batch: Sequence[Work], n_items: int) -> bool:
        return not (work.is_alone or batch[0].is_alone) and n_items + len(work.items) <= self._most_at_once

    def _results(self, batch: Sequence[Work]) -> Sequence[Any]:
        """One result each. When a batch fails its works are tried one by one, so that one cannot fail the others."""
        try:
            return self._process(batch)
        except Exception as error:
            return [error] if len(batch) == 1 else [self._results([work])[0] for work in batch]


def _give_up(work: Work) -> None:
    """A request is told when its time is over, also while the model is at it or hangs."""
    if not (work.future.done() or (work.is_alone and work.has_begun)):
        work.future.set_exception(overloaded(LATE))


def _nothing(batch: Sequence[Work]) -> Sequence[Any]:
    """What a lane does that has closed."""
    return [LaneClosed()] * len(batch)


def _settle(batch: Sequence[Work], results: Sequence[Any]) -> None:
    """Hand results over to the event loops that wait for them, one call a loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Work, Any]]] = {}
    for work, result in zip(batch, results, strict=True):
        by_loop.setdefault(work.loop, []).append((work, result))
    for loop, pairs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_hand_over, pairs)
        except RuntimeError:  # the loop is closed: its requests are gone
            continue


def _hand_over(pairs: Sequence[tuple[Work, Any]]) -> None:
    for work, result in pairs:
        if work.future.done():
            continue
        if isinstance(result, StopIteration):  # which no future takes
            work.future.set_exception(RuntimeError("the model stopped"))
        elif isinstance(result, Exception):
            work.future.set_exception(result)
        else:
            work.future.set_result(result)
