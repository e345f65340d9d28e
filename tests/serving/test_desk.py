"""The desk where requests wait for the database."""

import asyncio
import threading

import pytest

from burnish.serving.desk import Desk
from burnish.serving.problems import Problem


@pytest.fixture
def desk():
    desk = Desk(1, 2)
    yield desk
    desk.close()


def test_what_is_asked_is_done_in_a_thread_and_a_fault_is_whose_it_is(desk):
    def named(first, *, last):
        return threading.current_thread().name, first + last

    async def ask():
        for _ in range(5):  # a fault leaves its room
            with pytest.raises(KeyError):
                await desk.do({}.__getitem__, "none")
        return await desk.do(named, 1, last=2)

    assert asyncio.run(ask()) == ("store_0", 3)


def test_when_so_much_waits_more_is_refused_with_a_time_and_later_taken_again(desk):
    hangs = threading.Event()

    async def ask():
        held = [asyncio.ensure_future(desk.do(hangs.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Problem) as refused:
            await desk.do(int)
        hangs.set()
        assert await asyncio.gather(*held) == [True, True]
        return refused.value, await desk.do(int)

    problem, found = asyncio.run(ask())
    assert (problem.status, problem.detail) == (503, "too much waits for the store now; nothing was changed.")
    assert int(problem.headers["Retry-After"]) >= 2
    assert found == 0


def test_who_stops_waiting_leaves_the_room_of_what_has_begun_taken(desk):
    hangs, begun, done = threading.Event(), threading.Event(), []

    def hang():
        begun.set()
        hangs.wait()

    async def ask():
        first, second = (asyncio.ensure_future(desk.do(verb)) for verb in (hang, lambda: done.append(1)))
        await asyncio.to_thread(begun.wait)
        first.cancel()
        second.cancel()  # it had not begun, so its room is free
        await asyncio.sleep(0)
        third = asyncio.ensure_future(desk.do(int))
        await asyncio.sleep(0)
        with pytest.raises(Problem, match="too much waits"):
            await desk.do(int)
        hangs.set()
        return await third

    assert asyncio.run(ask()) == 0
    assert done == []
