"""The service: answers across swaps, what a shadow may do, what is looked at, and what cannot be kept."""

import asyncio
import threading
import time
from contextlib import suppress

import pytest
from tests.serving.house import broken_of, held, released, wait_until

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.flows.traffic import Traffic, set_traffic
from burnish.serving.access import Caller
from burnish.serving.lane import LaneClosed
from burnish.serving.problems import Problem
from burnish.serving.service import Call, read_rows
from burnish.store.records import Key
from burnish.store.store import StoreUnavailable


def call(seconds=10.0, **limits):
    return Call(
        Caller(Key("k1", "", "ann", ("predict",), 0.0, **limits)), time.monotonic() + seconds, time.perf_counter()
    )


def answer(service, rows, how=None, name="intent"):
    return asyncio.run(service.answer(name, rows, how or call()))


def answered_during_swaps(house, service, asked):
    """What name and text of each are answered, all at once again and again, while `intent` is swapped eight times."""

    async def load():
        found, stopped = [], threading.Event()

        def swap():
            for version in (2, 1) * 4:
                house.home.releases.promote("intent", version, "user test")
                time.sleep(0.05)
                service.fleet.refresh()
            stopped.set()

        thread = threading.Thread(target=swap)
        thread.start()
        while not stopped.is_set():
            found += await asyncio.gather(*(service.answer(name, [text], call()) for name, text in asked))
        thread.join()
        return found

    return asyncio.run(load())


def test_a_batch_of_many_requests_answers_each_as_if_it_had_come_alone(house, answer_of):
    texts = [f"{'good' if number % 2 else 'bad'} day {'abcdefgh'[number % 8] * (number % 13)}" for number in range(120)]

    async def ask_all(service):
        return await asyncio.gather(*(service.answer("intent", [text], call()) for text in texts))

    with house.service() as service:
        found = asyncio.run(ask_all(service))
    wanted = [answer_of(text) for text in texts]
    assert [one.items[0]["label"] for one in found] == [one["label"] for one in wanted]
    assert [one.items[0]["confidence"] for one in found] == pytest.approx(
        [one["confidence"] for one in wanted], abs=1e-5
    )


def test_a_version_that_is_taken_away_between_choosing_and_asking_is_replaced_by_the_next(house, monkeypatch):
    with house.service() as service:
        served = service.fleet.loaded(service.fleet.routing("intent").main)
        real, n_asked = served.answer, []

        async def closed_once(*arguments):
            n_asked.append(1)
            if len(n_asked) == 1:
                raise LaneClosed
            return await real(*arguments)

        monkeypatch.setattr(served, "answer", closed_once)
        how = call(per_minute=1)
        assert answer(service, ["good"], how).release.version == 1
        assert len(n_asked) == 2


def test_requests_during_swaps_are_all_answered_by_a_version_that_was_live(house):
    with house.service() as service:
        found = answered_during_swaps(house, service, [("intent", "good day")] * 8)
    assert {one.release.version for one in found} == {1, 2}
    assert len({one.items[0]["prediction_id"] for one in found}) == len(found)


def test_a_broken_version_is_never_ready_and_what_answered_goes_on(house, bundle, tmp_path):
    with house.service() as service:
        released(house.home, broken_of(bundle, tmp_path / "broken"))
        house.home.releases.promote("intent", 3, "user test")
        wait_until(lambda: "intent" in service.fleet.faults)
        assert answer(service, ["good"]).release.version == 1
        told = [line for line in house.lines() if line["message"] == "swap failed"]
        assert len(told) == 1
        assert told[0]["reason"].startswith("intent:3 cannot be loaded: ")
    assert b'burnish_swaps_total{name="intent",result="failed"} 1.0' in service.metrics.text()


def test_a_server_that_can_serve_nothing_does_not_start(house, bundle, tmp_path):
    released(house.home, broken_of(bundle, tmp_path / "broken"))
    with pytest.raises(UserError, match=r"^intent:3 cannot be loaded: "), house.service("intent:3"):
        pass
    unknown = pytest.raises(UserError, match=r"^there is no release of the name 'intend'\. Did you mean 'intent'\?")
    with unknown, house.service("intend"):
        pass


@pytest.mark.parametrize("kind", ["canary", "shadow"])
def test_a_server_starts_without_a_canary_or_shadow_that_cannot_be_loaded_and_tells_it(house, bundle, tmp_path, kind):
    released(house.home, broken_of(bundle, tmp_path / "broken"))
    traffic = Traffic(canary=3, percent=50) if kind == "canary" else Traffic(shadow=3)
    set_traffic(house.home, "intent", traffic, "user test")
    with house.service() as service:
        assert answer(service, ["good"]).release.version == 1
        assert service.fleet.faults["intent"].startswith("intent:3 cannot be loaded: ")
    [told] = [line for line in house.lines() if line["message"] == "swap failed"]
    assert (told["level"], told["reason"].startswith("intent:3 cannot be loaded: ")) == ("error", True)
    sentence = pytest.raises(UserError, match=r"^there is no release of the name 'intend'\. Did you mean 'intent'\?")
    with sentence, house.service("intent", "intend"):
        pass


def test_a_changed_byte_of_a_bundle_is_refused_before_anything_reads_it(house):
    digest = house.home.releases.find("intent:2").digest
    file = house.home.bundles.folder / digest / "model" / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with house.service() as service:
        house.home.releases.promote("intent", 2, "user test")
        wait_until(lambda: "intent" in service.fleet.faults)
        assert "model.safetensors" in service.fleet.faults["intent"]
        assert answer(service, ["good"]).release.version == 1


def test_a_model_that_cannot_be_loaded_when_it_is_asked_is_503_and_costs_nothing(house, monkeypatch):
    with house.service() as service:
        service.fleet._served = {}

        def gone(release):
            raise UserError("the folder is gone.")

        monkeypatch.setattr(service.fleet, "_load", gone)
        how = call(per_day=1)
        with pytest.raises(Problem, match=r"^the model 'intent' cannot be loaded now\.$") as caught:
            answer(service, ["good"], how)
        assert caught.value.status == 503
        how.caller.spend(1)


def test_a_shadow_that_fails_in_any_way_is_nobodys_trouble(house, monkeypatch):
    set_traffic(house.home, "intent", Traffic(shadow=2), "user test")
    with house.service() as service:
        shadow = service.fleet.loaded(service.fleet.routing("intent").shadow)

        def failing(batch):
            raise ZeroDivisionError("with the client's text")

        shadow.lane.process = failing

        async def ask():
            found = await service.answer("intent", ["good"], call())
            while service._shadows:
                await asyncio.sleep(0.01)
            return found

        assert asyncio.run(ask()).release.version == 1
    [line] = [line for line in house.lines() if line["message"] == "a shadow failed"]
    assert (line["version"], "client's text" in house.log.getvalue()) == (2, False)


def test_no_more_shadows_wait_than_was_said(house, monkeypatch):
    monkeypatch.setattr("burnish.serving.service.MOST_SHADOWS", 2)
    set_traffic(house.home, "intent", Traffic(shadow=2), "user test")
    with house.service() as service:
        shadow = service.fleet.loaded(service.fleet.routing("intent").shadow)
        go, real = threading.Event(), shadow.answer

        async def slow(*asked):
            await asyncio.to_thread(go.wait, 10)
            return await real(*asked)

        monkeypatch.setattr(shadow, "answer", slow)

        async def ask():
            for _ in range(6):
                await service.answer("intent", ["good"], call())
            n_waiting = len(service._shadows)
            go.set()
            while service._shadows:
                await asyncio.sleep(0.01)
            return n_waiting

        assert asyncio.run(ask()) == 2
    assert b'burnish_shadow_total{agrees="true",name="intent",version="2"} 2.0' in service.metrics.text()


def test_a_store_that_is_away_is_told_once_and_when_it_is_back(house, monkeypatch):
    def gone(*arguments, **more):
        raise StoreUnavailable("the database does not answer.")

    with house.service() as service:
        monkeypatch.setattr(house.home.keys, "all", gone)
        wait_until(lambda: service.fault is not None)
        time.sleep(0.6)
        monkeypatch.undo()
        wait_until(lambda: service.fault is None)
    told = [line["message"] for line in house.lines()]
    assert told.count("the database does not answer.") == 1
    assert told.count("the store answers again") == 1


def test_a_fault_of_ours_in_a_watch_ends_no_watch(house, monkeypatch):
    def failing(*arguments, **more):
        raise KeyError("13912345678")

    with house.service() as service:
        monkeypatch.setattr(house.home.releases, "aliases", failing)
        wait_until(lambda: service.fault is not None)
        assert service.fault.startswith("This is a bug: KeyError at test_service.py:")
        monkeypatch.undo()
        wait_until(lambda: service.fault is None)
    assert "139" not in house.log.getvalue()


def test_answers_that_cannot_be_kept_are_given_and_counted(house, monkeypatch):
    with house.service() as service:
        monkeypatch.setattr(service.journal, "_most_bytes", 10)
        assert len(answer(service, ["good", "bad"]).items) == 2
        wait_until(lambda: b"burnish_unrecorded_total 2.0" in service.metrics.text())


def test_predictions_move_into_the_store_behind_everybodys_back(house):
    with house.service() as service:
        identity = answer(service, ["good"]).items[0]["prediction_id"]
        wait_until(lambda: house.home.predictions.find(identity) is not None)


def test_what_was_answered_last_is_kept_when_the_server_ends(house):
    with house.service() as service:
        identity = answer(service, ["good"]).items[0]["prediction_id"]
    assert house.home.predictions.find(identity).key == "k1"


def test_a_store_that_is_away_at_the_end_leaves_the_journal_for_the_next_server(house, monkeypatch):
    def gone(records):
        raise StoreUnavailable("the database does not answer.")

    with house.service() as service:
        monkeypatch.setattr(service.journal, "_move", gone)
        identity = answer(service, ["good"]).items[0]["prediction_id"]
    [line] = [line for line in house.lines() if line["message"] == "predictions stay in the journal"]
    assert line["level"] == "warning"
    with house.service():
        wait_until(lambda: house.home.predictions.find(identity) is not None)


def test_a_full_lane_is_503_with_a_time_and_gives_back_what_was_counted(house):
    with house.service(waiting=2) as service:
        served = service.fleet.loaded(service.fleet.routing("intent").main)
        go, has_begun, _ = held(served)

        async def ask():
            first = asyncio.create_task(service.answer("intent", ["a"], call()))
            await asyncio.to_thread(has_begun.wait, 5)
            second = asyncio.create_task(service.answer("intent", ["b", "c"], call()))
            await asyncio.sleep(0.01)
            how = call(per_minute=1)
            with pytest.raises(Problem) as caught:
                await service.answer("intent", ["d"], how)
            go.set()
            how.caller.spend(1)
            await asyncio.gather(first, second)
            return caught.value

        problem = asyncio.run(ask())
    assert (problem.status, problem.detail) == (503, "too much waits for this model; come back a little later.")
    assert int(problem.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("n_at_once", [1, 64])
def test_a_model_is_given_no_more_requests_at_once_than_was_said(house, n_at_once):
    with house.service(batch=n_at_once) as service:
        served = service.fleet.loaded(service.fleet.routing("intent").main)
        go, _, batches = held(served)

        async def ask():
            tasks = [asyncio.create_task(service.answer("intent", [str(n)], call())) for n in range(6)]
            await asyncio.sleep(0.05)
            go.set()
            await asyncio.gather(*tasks)

        asyncio.run(ask())
    assert (max(map(len, batches)) == 1) == (n_at_once == 1)


def test_under_overload_texts_of_like_length_share_a_batch_whatever_came_first(house):
    texts = ["good " * 9, "bad", "bad " * 9, "good"]
    with house.service(batch=2) as service:
        go, has_begun, batches = held(service.fleet.loaded(service.fleet.routing("intent").main))

        async def ask():
            tasks = [asyncio.create_task(service.answer("intent", ["first"], call()))]
            await asyncio.to_thread(has_begun.wait, 5)
            tasks += [asyncio.create_task(service.answer("intent", [text], call())) for text in texts]
            await asyncio.sleep(0.05)
            go.set()
            await asyncio.gather(*tasks)

        asyncio.run(ask())
    found = [[row["text"] for row in batch] for batch in batches[1:]]
    assert found == [["good " * 9, "bad " * 9], ["good", "bad"]]


def test_rows_may_not_name_files():
    task = Shelf("tasks").build("image")
    for row in ({"image": "/etc/passwd"}, "/etc/passwd"):
        with pytest.raises(Problem, match=r"^inputs\[0\]: "):
            read_rows(task, [row])


HOSTILE = [
    None, 5, 10**18, 1e300, True, [], {}, [[1]], [None], ["a", None], {"a": 1}, "", "[", "{", "[1,2]", '[["a"]]', "\0",
    [{"role": 5, "content": "x"}], [{"role": ["user"], "content": "x"}], [{"role": "user", "content": 5}],
    [[0, 1, "PER"]], [{"start": 1}], "null", "NaN", "[" * 2000, '{"a":' * 1500,
]  # fmt: skip
TASKS = sorted(set(Shelf("tasks").names()) - {"multitask", "ranking"})  # which read nothing before they are opened


@pytest.mark.parametrize("name", TASKS)
def test_no_value_of_a_row_is_more_than_a_sentence(name):
    task = Shelf("tasks").build(name)
    columns = [one.name for one in task.wanted if one.name not in task.gold]
    usual = dict.fromkeys((one.name for one in task.wanted if one.is_required and one.name in columns), "a")
    for column in columns:
        for value in HOSTILE:
            with suppress(Problem):
                read_rows(task, [{**usual, column: value}])


def test_what_a_canary_fails_is_counted_for_its_version(house):
    set_traffic(house.home, "intent", Traffic(canary=2, percent=100), "user test")
    with house.client() as client:
        canary = client.service.fleet.routing("intent").canary
        served = client.service.fleet.served(canary)
        served.lane.process = lambda batch: 1 / 0
        assert client.post("/v1/models/intent/predict", json={"inputs": "good"}).status_code == 500
        told = {name: count for (name, _), count in client.service.watch._errors.items()}
    assert told == {"intent": 1, "intent:2": 1}
