"""The lane: what it takes, in which batches, and what becomes of work that nobody waits for."""

import asyncio
import gc
import threading
import time
import weakref

import pytest

from burnish.serving.crew import LATE, Crew
from burnish.serving.lane import FULL, Lane, LaneClosed
from burnish.serving.problems import Problem


class Slow:
    """A model that waits until it is let go, and tells what it was given."""

    def __init__(self):
        self.go, self.has_begun, self.batches = threading.Event(), threading.Event(), []

    def __call__(self, batch):
        self.batches.append([item for work in batch for item in work.items])
        self.has_begun.set()
        assert self.go.wait(5)
        return [[item * 10 for item in work.items] for work in batch]


def picky(model):
    """The model, which fails at a batch that holds 13, and otherwise gives back what it was asked."""

    def process(batch):
        model(batch)
        if any(13 in work.items for work in batch):
            raise ZeroDivisionError("13")
        return [work.items for work in batch]

    return process


def soon(seconds=5.0):
    return time.monotonic() + seconds


def run(scene, process=None, most_waiting=100, most_at_once=100):
    """What a scene with a lane gives."""
    process = process or (lambda batch: [[item * 10 for item in work.items] for work in batch])
    lane = Lane(process, most_waiting, Crew(most_at_once))
    try:
        return asyncio.run(scene(lane))
    finally:
        if isinstance(process, Slow):
            process.go.set()
        lane.close()


async def begun(slow):
    await asyncio.to_thread(slow.has_begun.wait, 5)


async def refused(asking):
    with pytest.raises(Problem) as caught:
        await asking
    return caught.value


def test_what_arrives_while_the_model_works_is_the_next_batch():
    slow = Slow()

    async def scene(lane):
        first = asyncio.create_task(lane.ask([1], None, soon()))
        await begun(slow)
        others = [asyncio.create_task(lane.ask([n], None, soon())) for n in (2, 3, 4)]
        await asyncio.sleep(0.01)
        assert lane.n_waiting == 3
        slow.go.set()
        return await asyncio.gather(first, *others)

    assert run(scene, slow) == [[10], [20], [30], [40]]
    assert slow.batches == [[1], [2, 3, 4]]


@pytest.mark.parametrize(("most_at_once", "batches"), [(2, [[1], [2, 3], [4]]), (1, [[1], [2], [3], [4]])])
def test_a_batch_holds_no_more_than_was_said(most_at_once, batches):
    slow = Slow()

    async def scene(lane):
        tasks = [asyncio.create_task(lane.ask([1], None, soon()))]
        await begun(slow)
        tasks += [asyncio.create_task(lane.ask([n], None, soon())) for n in (2, 3, 4)]
        await asyncio.sleep(0.01)
        slow.go.set()
        await asyncio.gather(*tasks)

    run(scene, slow, most_at_once=most_at_once)
    assert slow.batches == batches


class Stepwise:
    """A model that waits before each batch until it is let go, and tells what it was given."""

    def __init__(self):
        self.go, self.batches = threading.Semaphore(0), []

    def __call__(self, batch):
        self.batches.append([item for work in batch for item in work.items])
        assert self.go.acquire(timeout=5)
        return [work.items for work in batch]


def arranged(*rounds, length_of=max, most_at_once=2):
    """The batches of a lane to which works come in rounds, each after one more batch was begun."""
    model = Stepwise()

    async def scene(lane):
        lane.length_of = length_of
        tasks = [asyncio.create_task(lane.ask([0], None, soon()))]
        for at, works in enumerate(rounds, start=1):
            while len(model.batches) < at:
                await asyncio.sleep(0.001)
            tasks += [asyncio.create_task(lane.ask(items, None, soon())) for items in works]
            await asyncio.sleep(0.01)
            model.go.release()
        model.go.release(100)
        return await asyncio.gather(*tasks)

    assert run(scene, model, most_at_once=most_at_once) == [[0], *(items for works in rounds for items in works)]
    return model.batches[1:]


def test_where_more_waits_than_a_batch_holds_like_lengths_go_together_and_the_oldest_at_once():
    assert arranged([[1], [5], [2], [6]]) == [[1, 2], [5, 6]]
    assert arranged([[5], [1], [6], [2]]) == [[5, 6], [2, 1]]
    assert arranged([[5], [1]]) == [[5, 1]]  # no more than a batch: as it came
    assert arranged([[5], [1], [6], [2]], length_of=lambda items: 0) == [[5, 1], [6, 2]]
    assert arranged([[5, 7], [1], [6, 3], [2]], most_at_once=3) == [[5, 7], [6, 3, 2], [1]]


def test_the_oldest_is_in_the_next_batch_however_many_inputs_requests_have():
    old, short, middle, long, longer = [5] * 10, [1] * 10, [2] * 10, [8], [9]
    found = arranged([old, short, middle, long, longer], most_at_once=16)
    assert found == [old, short, [*middle, *long, *longer]]


def test_what_comes_later_overtakes_nobody_for_longer_than_one_batch():
    assert arranged([[5], [1], [6], [2]], [[7], [8]]) == [[5, 6], [2, 1], [7, 8]]
    assert arranged([[5], [1], [6], [2], [9], [3]]) == [[5, 6], [2, 1], [9, 3]]  # two batches are looked at, no more


def test_a_full_lane_refuses_with_a_time_to_come_back_and_takes_one_large_request_when_it_is_empty():
    slow = Slow()

    async def scene(lane):
        first = asyncio.create_task(lane.ask([0] * 50, None, soon()))  # more than may wait, but nothing does
        await begun(slow)
        second = asyncio.create_task(lane.ask([1, 2], None, soon()))
        await asyncio.sleep(0.01)
        problem = await refused(lane.ask([3], None, soon()))
        slow.go.set()
        await asyncio.gather(first, second)
        return problem

    problem = run(scene, slow, most_waiting=2)
    assert (problem.status, problem.detail) == (503, FULL)
    assert int(problem.headers["Retry-After"]) >= 1


def test_work_whose_time_is_over_before_the_model_is_free_is_told_so_and_not_computed():
    slow = Slow()

    async def scene(lane):
        first = asyncio.create_task(lane.ask([1], None, soon()))
        await begun(slow)
        problem = await refused(lane.ask([2], None, soon(0.05)))
        slow.go.set()
        await first
        return problem

    problem = run(scene, slow)
    assert (problem.status, problem.detail) == (503, LATE)
    assert slow.batches == [[1]]


def test_work_that_comes_with_its_time_over_is_never_computed():
    computed = []

    async def scene(lane):
        return await refused(lane.ask([1], None, time.monotonic() - 1))

    assert run(scene, lambda batch: computed.append(batch)).status == 503
    assert computed == []


def test_a_model_that_hangs_keeps_nobody_waiting_beyond_the_deadline():
    slow = Slow()

    async def scene(lane):
        return await refused(lane.ask([1], None, soon(0.05)))

    assert run(scene, slow).detail == LATE
    assert slow.batches == [[1]]


def test_work_of_a_client_who_left_before_its_turn_is_not_computed():
    slow, left = Slow(), False

    async def scene(lane):
        nonlocal left
        first = asyncio.create_task(lane.ask([1], None, soon()))
        await begun(slow)
        second = asyncio.create_task(lane.ask([2], None, soon(), lambda: left))
        third = asyncio.create_task(lane.ask([3], None, soon()))
        await asyncio.sleep(0.01)
        left = True
        third.cancel()
        await asyncio.sleep(0)
        slow.go.set()
        await first
        return await refused(second)

    run(scene, slow)
    assert slow.batches == [[1]]


def test_one_bad_request_does_not_fail_those_that_it_came_with():
    slow = Slow()

    async def scene(lane):
        tasks = [asyncio.create_task(lane.ask([1], None, soon()))]
        await begun(slow)
        tasks += [asyncio.create_task(lane.ask([n], None, soon())) for n in (12, 13, 14)]
        await asyncio.sleep(0.01)
        slow.go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    lane = Lane(picky(slow), 100, Crew(100))
    found = asyncio.run(scene(lane))
    lane.close()
    assert [found[0], found[1], found[3]] == [[1], [12], [14]]
    assert isinstance(found[2], ZeroDivisionError)


def test_a_fault_that_no_future_takes_hangs_nobody():
    async def scene(lane):
        return await lane.ask([1], None, soon())

    def stop(batch):
        raise StopIteration

    with pytest.raises(RuntimeError, match=r"^the model stopped$"):
        run(scene, stop)


def test_a_closed_lane_answers_what_waits_and_takes_no_more():
    slow = Slow()

    async def scene(lane):
        tasks = [asyncio.create_task(lane.ask([1], None, soon()))]
        await begun(slow)
        tasks.append(asyncio.create_task(lane.ask([2], None, soon())))
        await asyncio.sleep(0.01)
        closing = asyncio.create_task(asyncio.to_thread(lane.close))
        await asyncio.sleep(0.01)
        with pytest.raises(LaneClosed):
            await lane.ask([3], None, soon())
        slow.go.set()
        await closing
        return await asyncio.gather(*tasks)

    assert run(scene, slow) == [[10], [20]]


def test_work_that_wants_to_be_alone_shares_no_batch_and_may_take_longer_than_its_deadline_once_begun():
    slow = Slow()

    async def scene(lane):
        first = asyncio.create_task(lane.ask([1], None, soon()))
        await begun(slow)
        others = [asyncio.create_task(lane.ask([n], None, soon(), is_alone=n == 3)) for n in (2, 3, 4)]
        await asyncio.sleep(0.01)
        slow.go.set()
        await asyncio.gather(first, *others)
        slow.go.clear()
        slow.has_begun.clear()
        late = asyncio.create_task(lane.ask([5], None, soon(0.03), is_alone=True))
        await begun(slow)
        await asyncio.sleep(0.1)
        slow.go.set()
        return await late

    assert run(scene, slow) == [50]
    assert slow.batches == [[1], [2], [3], [4], [5]]


def test_a_lane_tells_of_every_batch_and_outlives_whoever_is_told():
    told = []

    def seen(n_items, n_waiting):
        told.append((n_items, n_waiting))
        raise OSError("no room for the number")

    async def scene(lane):
        lane.seen = seen
        return [await lane.ask([n, n], None, soon()) for n in (1, 2)]

    assert run(scene) == [[10, 10], [20, 20]]
    assert told == [(2, 0), (2, 0)]


def test_answers_for_a_loop_that_has_ended_are_dropped_and_the_lane_goes_on():
    slow = Slow()
    lane = Lane(slow, 100, Crew(100))

    async def leave():
        asking = asyncio.create_task(lane.ask([1], None, soon()))
        await begun(slow)
        return asking

    loop = asyncio.new_event_loop()
    asking = loop.run_until_complete(leave())
    asking.cancel()
    loop.run_until_complete(asyncio.gather(asking, return_exceptions=True))
    loop.close()
    slow.go.set()

    async def again():
        return await lane.ask([2], None, soon())

    assert asyncio.run(again()) == [20]
    lane.close()


@pytest.mark.parametrize("n", [2000])
def test_no_answer_is_mixed_up_with_another(n):
    async def scene(lane):
        asked = [[number, number + 1] for number in range(n)]
        return asked, await asyncio.gather(*(lane.ask(items, None, soon(60)) for items in asked))

    asked, found = run(scene, most_waiting=10**6, most_at_once=7)
    assert found == [[a * 10, b * 10] for a, b in asked]


def test_a_lane_that_has_closed_lets_go_of_its_model_at_once():
    class Model:
        def process(self, batch):
            return [None for _ in batch]

    model = Model()
    gone = weakref.ref(model)
    lane = Lane(model.process, 4, Crew(4))
    gc.disable()
    try:
        lane.close()
        del model
        assert gone() is None
    finally:
        gc.enable()


def test_a_model_with_two_streams_works_at_two_batches_at_a_time_and_one_with_one_does_not():
    def at_once(n_threads):
        both, n_inside, most, lock = threading.Event(), 0, 0, threading.Lock()

        def process(batch):
            nonlocal n_inside, most
            with lock:
                n_inside += 1
                most = max(most, n_inside)
                if most == 2:
                    both.set()
            both.wait(5 if n_threads == 2 else 0.05)
            with lock:
                n_inside -= 1
            return [list(work.items) for work in batch]

        async def scene():
            return await asyncio.gather(*(lane.ask([n], None, soon()) for n in range(6)))

        lane = Lane(process, 100, Crew(2, n_threads))
        try:
            assert asyncio.run(scene()) == [[n] for n in range(6)]
        finally:
            lane.close()
        return most

    assert at_once(1) == 1
    assert at_once(2) == 2


def test_closing_waits_for_every_thread():
    begun, go = threading.Semaphore(0), threading.Event()

    def process(batch):
        begun.release()
        assert go.wait(5)
        return [list(work.items) for work in batch]

    async def scene():
        asking = [asyncio.create_task(lane.ask([n], None, soon())) for n in range(2)]
        await asyncio.to_thread(lambda: [begun.acquire(timeout=5) for _ in range(2)])
        closing = asyncio.create_task(asyncio.to_thread(lane.close))
        await asyncio.sleep(0.05)
        assert not closing.done()
        go.set()
        await closing
        return await asyncio.gather(*asking)

    lane = Lane(process, 100, Crew(1, 2))
    assert asyncio.run(scene()) == [[0], [1]]
