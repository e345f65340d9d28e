"""A crew: the threads that compute with one network, and the queue from which they take what is there.

No timer: while the model works, what arrives gathers, and all of it (up to a batch) is the next batch. So a lone
request waits for nothing, and batches grow with the load by themselves. Where more waits than a batch holds, works of
like length are brought together, so that under overload, when it counts, less is padded. A model that computes several
batches side by side has as many threads: while some of its callers read what they got, it works for the others. Most
crews serve one lane; models that share a trunk share its crew, and a batch may hold work of all of their lanes. A crew
ends with its last lane.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from burnish.bundle.core import Core
from burnish.bundle.trunks import Trunk
from burnish.serving.background import standing_back
from burnish.serving.problems import overloaded

if TYPE_CHECKING:
    from burnish.serving.lane import Lane

LATE = "the request's time was over before it was answered; give it more, or come back later."


@dataclass(eq=False)
class Work:
    """What one request asks of a model, and who waits for it."""

    lane: Lane
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
"""Batch of works → one result each. Runs in a thread of the crew."""


class Crew:
    """The threads, and what waits for them. It is made for one lane; others may `join` while there is one."""

    def __init__(self, most_at_once: int, n_threads: int = 1) -> None:
        self.lock = threading.RLock()
        """Held where the queue, or what its lanes count, changes."""
        self._most_at_once = most_at_once
        self._queue: deque[Work] = deque()
        self._n_arranged = 0
        """Works at the queue's head whose order is settled."""
        self._has_more = threading.Condition(self.lock)
        self._n_lanes = 1
        self._threads = [threading.Thread(target=self._run, name="lane", daemon=True) for _ in range(n_threads)]
        for thread in self._threads:
            thread.start()

    @property
    def is_own_thread(self) -> bool:
        return threading.current_thread() in self._threads

    def join(self) -> bool:
        """Take on one lane more; False when it has ended."""
        with self.lock:
            self._n_lanes += self._n_lanes > 0
            return self._n_lanes > 0

    def leave(self) -> None:
        """Let one lane go: the last takes the threads along, once the queue is empty."""
        with self.lock:
            self._n_lanes -= 1
            self._has_more.notify_all()

    def wait_for_end(self) -> None:
        """Wait for the threads where no lane is left."""
        if not self._n_lanes:
            for thread in self._threads:
                thread.join()

    def put(self, work: Work) -> None:
        """Queue some work; the lock is held."""
        self._queue.append(work)
        self._has_more.notify()

    def _run(self) -> None:
        while self._does_more():  # a call a batch, so that nothing of it is held on to while the next one is awaited
            pass

    def _does_more(self) -> bool:
        """Do the next batch, once there is one; False when no lane is left and the queue is empty."""
        batch = self._take()
        if batch is None:
            return False
        for lane, n_items in _by_lane(batch).items():
            with suppress(Exception):  # whoever counts must not end the crew
                lane.seen(n_items, lane.n_waiting)
        _settle(batch, _results(batch))
        return True

    def _take(self) -> list[Work] | None:
        with self.lock:
            while True:
                while not self._queue and self._n_lanes:
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
        if not self._n_arranged:
            self._arrange()
        while self._queue and (not batch or self._fits(self._queue[0], batch, n_items)):
            work = self._queue.popleft()
            self._n_arranged = max(0, self._n_arranged - 1)
            work.lane.n_waiting -= len(work.items)
            if work.is_dropped:
                work.lane.settled()
                continue
            if now > work.deadline or work.is_gone():
                late.append(work)
                continue
            work.has_begun = True
            batch.append(work)
            n_items += len(work.items)
        return batch, late

    def _arrange(self) -> None:
        """Order what waits first by length, where it is more than one batch and as far as it makes two: the one that
        holds the oldest work goes first, and the rest before whatever comes later. So a request of one input waits at
        most a batch longer.
        """
        first: list[Work] = []
        n_items = 0
        for work in self._queue:
            n_items += len(work.items)
            if work.is_alone or n_items > 2 * self._most_at_once:
                break
            first.append(work)
        if not first or n_items <= self._most_at_once:
            return
        oldest = first[0]
        arranged = sorted(first, key=lambda work: work.lane.length_of(work.items))
        if arranged.index(oldest) >= len(arranged) / 2:
            arranged.reverse()
        arranged.remove(oldest)  # it comes first: half of the requests need not be half of the inputs
        for _ in first:
            self._queue.popleft()
        self._queue.extendleft(reversed([oldest, *arranged]))
        self._n_arranged = len(first)

    def _fits(self, work: Work, batch: Sequence[Work], n_items: int) -> bool:
        return not (work.is_alone or batch[0].is_alone) and n_items + len(work.items) <= self._most_at_once


class Crews:
    """The crew of each trunk that lanes share, as long as one of its models is in service."""

    def __init__(self) -> None:
        self._crews: WeakKeyDictionary[Trunk, Crew] = WeakKeyDictionary()
        self._joining = threading.Lock()

    def of(self, core: Core, most_at_once: int) -> Crew:
        """A crew for a new lane before `core`: that of its trunk, or one of its own."""
        if core.trunk is None:
            return _crew(core, most_at_once)
        with self._joining:
            found = self._crews.get(core.trunk)
            if found is None or not found.join():
                found = self._crews[core.trunk] = _crew(core, most_at_once)
            return found


def _crew(core: Core, most_at_once: int) -> Crew:
    """A crew for a core. It stands back where it computes itself; where the core has threads of its own, to which the
    crew brings work, these alone stand back, and do not wait for work while the crew waits for the processor.
    """
    make = partial(Crew, most_at_once, core.n_streams)
    return make() if core.has_threads else standing_back(make)


def _by_lane(batch: Sequence[Work]) -> Counter[Lane]:
    """How many inputs each lane has in a batch."""
    found: Counter[Lane] = Counter()
    for work in batch:
        found[work.lane] += len(work.items)
    return found


def _results(batch: Sequence[Work]) -> Sequence[Any]:
    """One result each. When a batch fails its works are tried one by one, so that one cannot fail the others."""
    try:
        return batch[0].lane.process(batch)
    except Exception as error:
        return [error] if len(batch) == 1 else [_results([work])[0] for work in batch]


def _settle(batch: Sequence[Work], results: Sequence[Any]) -> None:
    """Hand results over to the event loops that wait for them, one call a loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Work, Any]]] = {}
    for work, result in zip(batch, results, strict=True):
        by_loop.setdefault(work.loop, []).append((work, result))
    for loop, pairs in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed: its requests are gone
            loop.call_soon_threadsafe(_hand_over, pairs)
    for work in batch:
        work.lane.settled()


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
