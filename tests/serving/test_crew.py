"""The crew: lanes that share one have joint batches, and each has its own bound, its own numbers and its own end."""

import asyncio
import gc
import os
import sys
import threading
import weakref

import pytest
from tests.serving.test_lane import Slow, begun, picky, refused, soon

from burnish.serving.background import NICENESS
from burnish.serving.crew import Crew, Crews
from burnish.serving.lane import Lane, LaneClosed


class Trunk:
    """Something that cores share."""


class Core:
    def __init__(self, trunk=None, n_streams=1, has_threads=False):
        self.trunk, self.n_streams, self.has_threads = trunk, n_streams, has_threads


def two_lanes(process, most_waiting=100, most_at_once=100):
    crew = Crew(most_at_once)
    assert crew.join()
    return Lane(process, most_waiting, crew), Lane(process, most_waiting, crew)


def run(scene, process, **bounds):
    lanes = two_lanes(process, **bounds)
    try:
        return asyncio.run(scene(*lanes))
    finally:
        if isinstance(process, Slow):
            process.go.set()
        for lane in lanes:
            lane.close()


def test_what_waits_in_several_lanes_is_one_batch_in_the_order_in_which_it_came():
    slow = Slow()

    async def scene(one, other):
        tasks = [asyncio.create_task(one.ask([1], None, soon()))]
        await begun(slow)
        tasks += [asyncio.create_task(lane.ask([n], None, soon())) for n, lane in ((2, other), (3, one), (4, other))]
        await asyncio.sleep(0.01)
        assert (one.n_waiting, other.n_waiting) == (1, 2)
        slow.go.set()
        return await asyncio.gather(*tasks)

    assert run(scene, slow) == [[10], [20], [30], [40]]
    assert slow.batches == [[1], [2, 3, 4]]


def test_a_full_lane_leaves_room_in_the_others():
    slow = Slow()

    async def scene(one, other):
        tasks = [asyncio.create_task(one.ask([1], None, soon()))]
        await begun(slow)
        tasks += [asyncio.create_task(one.ask([n], None, soon())) for n in (2, 3)]
        await asyncio.sleep(0.01)
        assert (one.is_full(0), other.is_full(0)) == (True, False)
        problem = await refused(one.ask([4], None, soon()))
        tasks.append(asyncio.create_task(other.ask([5], None, soon())))
        await asyncio.sleep(0.01)
        slow.go.set()
        await asyncio.gather(*tasks)
        return problem

    assert run(scene, slow, most_waiting=2).status == 503
    assert slow.batches == [[1], [2, 3, 5]]


def test_each_lane_is_told_what_is_its_own_in_a_batch():
    slow, told = Slow(), []

    async def scene(one, other):
        for name, lane in (("one", one), ("other", other)):
            lane.seen = lambda n_items, n_waiting, name=name: told.append((name, n_items, n_waiting))
        tasks = [asyncio.create_task(one.ask([1], None, soon()))]
        await begun(slow)
        tasks += [asyncio.create_task(one.ask([2], None, soon())), asyncio.create_task(other.ask([3, 4], None, soon()))]
        tasks += [asyncio.create_task(other.ask([5], None, soon()))]
        await asyncio.sleep(0.01)
        slow.go.set()
        await asyncio.gather(*tasks)

    run(scene, slow, most_at_once=3)
    assert told == [("one", 1, 0), ("one", 1, 0), ("other", 2, 1), ("other", 1, 0)]


def test_a_lane_that_closes_leaves_the_others_at_work_and_waits_for_its_own_alone():
    go, has_begun, done = threading.Event(), threading.Event(), []

    def process(batch):
        if batch[0].items == [2]:
            has_begun.set()
            assert go.wait(5)
        done.extend(work.items for work in batch)
        return [list(work.items) for work in batch]

    async def scene(one, other):
        first = await one.ask([1], None, soon())
        waiting = asyncio.create_task(other.ask([2], None, soon()))
        await asyncio.to_thread(has_begun.wait, 5)
        await asyncio.to_thread(one.close)  # the crew is at work for the other
        assert done == [[1]]
        with pytest.raises(LaneClosed):
            await one.ask([3], None, soon())
        go.set()
        return first, await waiting, await other.ask([4], None, soon())

    assert run(scene, process) == ([1], [2], [4])


def test_closing_waits_for_what_waits_of_it_behind_another_lane():
    slow = Slow()

    async def scene(one, other):
        first = asyncio.create_task(one.ask([1], None, soon()))
        await begun(slow)
        second = asyncio.create_task(other.ask([2], None, soon()))
        await asyncio.sleep(0.01)
        closing = asyncio.create_task(asyncio.to_thread(other.close))
        await asyncio.sleep(0.05)
        assert not closing.done()
        slow.go.set()
        await closing
        return await first, await second

    assert run(scene, slow) == ([10], [20])


def test_works_that_nobody_waits_for_hold_up_no_closing():
    slow = Slow()

    async def scene(one, other):
        first = asyncio.create_task(one.ask([1], None, soon()))
        await begun(slow)
        left = asyncio.create_task(other.ask([2], None, soon()))
        late = asyncio.create_task(refused(other.ask([3], None, soon(0.03))))
        await asyncio.sleep(0.05)
        left.cancel()
        await asyncio.sleep(0)
        await late
        slow.go.set()
        await first
        await asyncio.wait_for(asyncio.to_thread(other.close), 5)

    run(scene, slow)
    assert slow.batches == [[1]]


def test_a_bad_request_of_one_lane_does_not_fail_those_of_another():
    slow = Slow()

    async def scene(one, other):
        tasks = [asyncio.create_task(one.ask([1], None, soon()))]
        await begun(slow)
        tasks += [asyncio.create_task(lane.ask([n], None, soon())) for n, lane in ((12, one), (13, other), (14, other))]
        await asyncio.sleep(0.01)
        slow.go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    found = run(scene, picky(slow))
    assert [found[0], found[1], found[3]] == [[1], [12], [14]]
    assert isinstance(found[2], ZeroDivisionError)


def test_a_lane_that_has_closed_lets_go_of_its_model_though_its_crew_goes_on():
    class Model:
        def process(self, batch):
            return [list(work.items) for work in batch]

    model, crew = Model(), Crew(4)
    gone = weakref.ref(model)
    assert crew.join()
    one, other = Lane(model.process, 4, crew), Lane(Model().process, 4, crew)

    async def scene():
        return await one.ask([1], None, soon())

    assert asyncio.run(scene()) == [1]
    gc.collect()
    gc.disable()
    try:
        one.close()
        del model
        assert gone() is None
    finally:
        gc.enable()
        other.close()


def test_cores_of_one_trunk_have_one_crew_until_the_last_lane_closes_and_then_a_new_one():
    crews, trunk = Crews(), Trunk()
    first, second = (crews.of(Core(trunk), 4) for _ in range(2))
    assert first is second
    lanes = [Lane(lambda batch: [None] * len(batch), 4, first) for _ in range(2)]
    lanes[0].close()
    assert crews.of(Core(trunk), 4) is first
    Lane(lanes[1].process, 4, first).close()
    lanes[1].close()
    assert not first.join()
    again = crews.of(Core(trunk), 4)
    assert again is not first
    again.leave()


def test_a_core_without_a_trunk_and_one_of_another_have_a_crew_of_their_own():
    crews = Crews()
    cores = [Core(), Core(), Core(Trunk()), Core(Trunk())]
    found = [crews.of(core, 4) for core in cores]
    assert len(set(found)) == 4
    for crew in found:
        crew.leave()


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux only")
@pytest.mark.parametrize(
    ("core", "niceness"),
    [(Core(n_streams=2, has_threads=True), 0), (Core(), NICENESS), (Core(Trunk()), NICENESS)],
    ids=["its_threads", "the_crew", "the_crew_of_a_trunk"],
)
def test_whoever_computes_stands_back(core, niceness):
    found, own = [], os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def process(batch):
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return [[] for _ in batch]

    lane = Lane(process, 10, Crews().of(core, 10))
    asyncio.run(lane.ask([1], None, soon()))
    lane.close()
    assert found == [min(19, own + niceness)]
