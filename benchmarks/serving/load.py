"""Load: closed loop (each connection asks again when it was answered) and open loop (requests come when they are due,
whatever became of those before). Both return every request that was made.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from serving.client import Asked, Pool, Then, clock, nothing

Result = TypeVar("Result")
TICK_S = 0.002
"""How often the open loop looks what is due. Looking twice as often took 13 % of one of the two cores that the server
shares with it, and more by waking both a thousand times a second: a tenth of what the server can answer.
"""
SWEEP_EVERY_S = 1.0
PAUSE_S = 0.05
"""Before a connection asks again that had no answer."""


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run one measurement; the collector waits meanwhile, so that it does not look like the server."""
    try:
        import uvloop

        factory = uvloop.new_event_loop
    except ImportError:
        factory = None
    gc.collect()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(work)
    finally:
        gc.enable()


class Closed:
    """A closed loop that goes on until it is told to stop, or for a number of requests."""

    def __init__(
        self, pool: Pool, payloads: Sequence[bytes], n_connections: int, n_requests: int | None = None, first: int = 0
    ) -> None:
        self.asked: list[Asked] = []
        self.on_answer: Callable[[Asked], None] = lambda asked: None
        self._pool = pool
        self._payloads = payloads
        self._left = n_requests
        self._next = first
        self._is_over = False
        self._n_live = n_connections
        for _ in range(n_connections):
            self._ask()

    async def stop(self) -> list[Asked]:
        """Ask no more; returns when all that was asked has ended."""
        self._is_over = True
        await self.ended()
        return self.asked

    async def ended(self) -> list[Asked]:
        """Returns when the number of requests was made, and all have ended."""
        n_before, since = -1, clock()
        while self._n_live:
            if n_before != len(self.asked):
                n_before, since = len(self.asked), clock()
            if clock() - since > self._pool.patience_s + 10:
                break
            self._pool.sweep()
            await asyncio.sleep(0.005)
        return self.asked

    def _ask(self) -> None:
        if self._is_over or self._left == 0:
            self._n_live -= 1
            return
        if self._left is not None:
            self._left -= 1
        asked = Asked(self._next, clock())
        self._next += 1
        self.asked.append(asked)
        self._pool.fire(asked, self._payloads[asked.number % len(self._payloads)], self._then)

    def _then(self, asked: Asked) -> None:
        self.on_answer(asked)
        if asked.status:
            self._ask()
        else:
            asyncio.get_running_loop().call_later(PAUSE_S, self._ask)


async def closed_loop(
    pool: Pool, payloads: Sequence[bytes], n_connections: int, seconds: float, first: int = 0
) -> list[Asked]:
    """Each of some connections asks again as soon as it was answered."""
    loop = Closed(pool, payloads, n_connections, first=first)
    await asyncio.sleep(seconds)
    return await loop.stop()


async def open_loop(
    pool: Pool, payloads: Sequence[bytes], per_s: float, seconds: float, first: int = 0, then: Then = nothing
) -> list[Asked]:
    """So many requests a second at equal distances; returns when each has ended."""
    asked: list[Asked] = []
    start, n_all = clock(), int(per_s * seconds)
    swept = start
    while len(asked) < n_all:
        n_due = min(n_all, int((clock() - start) * per_s) + 1)
        for number in range(len(asked), n_due):
            one = Asked(first + number, start + number / per_s)
            asked.append(one)
            pool.fire(one, payloads[one.number % len(payloads)], then)
        if clock() - swept > SWEEP_EVERY_S:
            pool.sweep()
            swept = clock()
        await asyncio.sleep(TICK_S)
    await pool.drained()
    return asked


def quantile(values: Sequence[float], share: float) -> float:
    """0 where there are no values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
