"""Names whose models have one trunk: their texts go through it together, and each is answered and kept as its own."""

import asyncio
import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.flows.conftest import sentiment_rows, write_csv
from tests.serving.house import held, released, wait_until
from tests.serving.test_service import answered_during_swaps, call

import burnish
from burnish.serving.service import Call
from burnish.store.records import Key

TEXTS = ["good", "so bad a day", "all good", "北京好的", "good so good", "bad"]


def fitted(folder, base, **task):
    write_csv(folder / "train.csv", sentiment_rows(60))
    recipe = {
        "task": {"name": "classification", **task},
        "base": str(base),
        "data": {"train": str(folder / "train.csv"), "dev": "25%"},
        "train": {"epochs": 4, "precision": "fp32", "freeze": {"all_but_head": True}, "learning_rate": 0.01},
        "judge": {"n_bootstrap": 2, "formats": ["json"]},
    }
    return burnish.fit(recipe, out=folder / "bundle").bundle


@pytest.fixture(scope="session")
def topic(tmp_path_factory, tiny_base):
    """A model of which only the head was trained, on the base that `intent` has."""
    return fitted(tmp_path_factory.mktemp("topic"), tiny_base, head="mean")


@pytest.fixture
def two(house, topic):
    released(house.home, topic, "topic")
    house.home.releases.promote("topic", 1, "user test")
    return house


def of(service, name):
    return service.fleet.loaded(service.fleet.routing(name).main)


def reads_of(served):
    """The numbers of rows that its trunk reads, from now on."""
    seen = []

    def see(module, args, kwargs):
        seen.append(len(kwargs["input_ids"] if "input_ids" in kwargs else args[0]))

    served.predictor.core.trunk.body.register_forward_pre_hook(see, with_kwargs=True)
    return seen


def ask_together(service, asked):
    """Answers to requests that come while the crew is busy, so that they make one batch; errors where they failed."""
    go, has_begun, _ = held(of(service, "intent"))

    async def ask():
        first = asyncio.create_task(service.answer("intent", ["first"], call()))
        await asyncio.to_thread(has_begun.wait, 5)
        tasks = [asyncio.create_task(service.answer(name, texts, call())) for name, texts in asked]
        await asyncio.sleep(0.02)
        go.set()
        await first
        return await asyncio.gather(*tasks, return_exceptions=True)

    return asyncio.run(ask())


def test_two_names_are_answered_in_one_pass_as_each_alone(two, answer_of, topic):
    alone = burnish.load(topic)
    with two.service("intent", "topic") as service:
        reads = reads_of(of(service, "intent"))
        assert of(service, "intent").predictor.core.trunk is of(service, "topic").predictor.core.trunk
        asked = [(name, [text]) for text in TEXTS for name in ("intent", "topic")]
        found = ask_together(service, asked)
    assert reads == [1, len(TEXTS)]  # the first request, and all others; a text of both is read once
    for (name, [text]), one in zip(asked, found, strict=True):
        wanted = answer_of(text) if name == "intent" else alone(text).model_dump(mode="json")
        [item] = one.items
        assert (one.release.name, item["label"]) == (name, wanted["label"])
        assert item["confidence"] == pytest.approx(wanted["confidence"], abs=1e-5)


def test_each_prediction_is_kept_and_counted_under_its_own_name_and_version(two):
    with two.service("intent", "topic") as service:
        found = ask_together(service, [("intent", ["good"]), ("topic", ["good", "bad"]), ("topic", ["good"])])
        told = service.metrics.text().decode()
    kept = [[two.home.predictions.find(item["prediction_id"]) for item in one.items] for one in found]
    assert [[(one.name, one.version) for one in own] for own in kept] == [
        [("intent", 1)], [("topic", 1), ("topic", 1)], [("topic", 1)]
    ]  # fmt: skip
    assert [[one.answer["label"] for one in own] for own in kept] == [
        [item["label"] for item in one.items] for one in found
    ]
    assert 'burnish_inputs_total{name="intent",traffic="live",version="1"} 2.0' in told
    assert 'burnish_inputs_total{name="topic",traffic="live",version="1"} 3.0' in told


def test_what_fails_in_one_fails_no_other_and_nothing_is_kept_twice(two):
    with two.service("intent", "topic") as service:
        served = of(service, "topic")
        real = served.predictor.task.__class__.encode
        intent = of(service, "intent").predictor.task

        def picky(task, examples, reader, labels):
            if task is not intent and any(one["text"] == "bad" for one in examples):
                raise ZeroDivisionError("bad")
            return real(task, examples, reader, labels)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(served.predictor.task.__class__, "encode", picky)
            found = ask_together(service, [("intent", ["bad"]), ("topic", ["bad"]), ("topic", ["good"])])
        told = service.metrics.text().decode()
        service.journal.flush()
        count = two.home.predictions.count_of(Key("k1", "", "ann", ("predict",), 0.0).id, 0)
    assert isinstance(found[1], ZeroDivisionError)
    assert [found[0].release.name, found[2].release.name] == ["intent", "topic"]
    assert 'burnish_inputs_total{name="topic",traffic="live",version="1"} 1.0' in told
    assert count == 3  # `first`, and the two that were answered


def test_a_model_that_leaves_takes_neither_trunk_nor_crew_from_the_other(two, topic):
    with two.service("intent", "topic") as service:
        of(service, "intent").close()
        [item] = asyncio.run(service.answer("topic", ["good"], call())).items
        assert item["label"] == burnish.load(topic)("good").label
        body = weakref.ref(of(service, "topic").predictor.core.trunk.body)
    del service
    gc.collect()
    assert body() is None


def test_swaps_of_one_under_load_lose_nothing_of_either(two):
    with two.service("intent", "topic") as service:
        asked = [(name, text) for text in TEXTS for name in ("intent", "topic")]
        found = answered_during_swaps(two, service, asked)
    assert {(one.release.name, one.release.version) for one in found} == {("intent", 1), ("intent", 2), ("topic", 1)}
    assert len({one.items[0]["prediction_id"] for one in found}) == len(found)
    labels = {}
    for number, one in enumerate(found):
        labels.setdefault((one.release.name, TEXTS[number // 2 % len(TEXTS)]), set()).add(one.items[0]["label"])
    assert [len(said) for said in labels.values()] == [1] * len(labels)


def test_both_versions_of_a_name_hold_one_trunk_while_they_are_loaded(house):
    house.home.releases.promote("intent", 2, "user test")
    with house.service() as service:
        routing = service.fleet.routing("intent")
        cores = [service.fleet.loaded(one).predictor.core for one in (routing.main, routing.previous)]
        assert cores[0].trunk is cores[1].trunk is not None


def test_over_http_two_names_asked_at_once_get_their_own_answers_from_one_pass(two, answer_of, topic):
    alone = burnish.load(topic)

    def label_of(name, text):
        return answer_of(text)["label"] if name == "intent" else alone(text).label

    with two.client("intent", "topic") as client, ThreadPoolExecutor(9) as pool:
        served = [of(client.service, name) for name in ("intent", "topic")]
        reads, (go, has_begun, _) = reads_of(served[0]), held(served[0])

        def ask(name, text):
            response = client.post(f"/v1/models/{name}/predict", json={"inputs": [text, "good day"]})
            return response.status_code, [item["label"] for item in response.json()["predictions"]]

        first = pool.submit(ask, "intent", "first")
        assert has_begun.wait(10)
        asked = [(name, text) for text in TEXTS[:4] for name in ("intent", "topic")]
        others = [pool.submit(ask, name, text) for name, text in asked]
        wait_until(lambda: sum(one.lane.n_waiting for one in served) == 16)
        go.set()
        assert first.result()[0] == 200
        found = [one.result() for one in others]
    assert found == [(200, [label_of(name, text), label_of(name, "good day")]) for name, text in asked]
    assert reads == [2, 5]  # four texts and `good day`, each of which eight requests share


def test_stages_of_a_joint_batch_are_those_of_every_request_in_it(two, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    told = []
    with two.service("intent", "topic") as service:
        go, has_begun, _ = held(of(service, "intent"))

        def how():
            return Call(**{**vars(call()), "seen": told.append})

        async def ask():
            first = asyncio.create_task(service.answer("intent", ["first"], call()))
            await asyncio.to_thread(has_begun.wait, 5)
            tasks = [asyncio.create_task(service.answer(name, ["good"], how())) for name in ("topic", "intent")]
            await asyncio.sleep(0.02)
            go.set()
            await asyncio.gather(first, *tasks)

        asyncio.run(ask())
    topic, intent = told
    assert [(one.name, one.n_inputs, one.n_tokens) for one in told] == [("topic", 2, 6), ("intent", 2, 6)]
    assert topic.began <= topic.core_began <= topic.core_ended <= topic.ended
    assert (topic.began, topic.core_began, topic.core_ended) == (intent.began, intent.core_began, intent.core_ended)
