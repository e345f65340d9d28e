"""What a server remembers: answers without the model, recorded and counted like any other, gone with their version."""

import asyncio

import pytest
from tests.serving.house import released, twin_of, wait_until, without_id
from tests.serving.test_service import answer, call


def watched(service):
    """How many features the core of the version in service was given, call by call."""
    served = service.fleet.loaded(service.fleet.routing("intent").main)
    core, sizes = served.predictor.core, []
    real = core.run
    core.run = lambda features: sizes.append(len(features)) or real(features)
    return sizes


def test_what_was_asked_before_is_answered_without_the_model_and_recorded_all_the_same(house, answer_of):
    texts = ["good day", "bad, write to ann@example.com", "good day"]
    with house.service(cache=10) as service:
        sizes = watched(service)
        first, second = answer(service, texts), answer(service, texts[::-1])
        metrics = service.metrics.text().decode()
    records = [house.home.predictions.find(item["prediction_id"]) for item in (*first.items, *second.items)]
    assert sizes == [2]  # each text once
    assert [without_id(item) for item in second.items] == [without_id(item) for item in first.items][::-1]
    assert [item["label"] for item in first.items] == [answer_of(text)["label"] for text in texts]
    assert len({record.id for record in records}) == 6
    assert [record.input["text"] for record in records[:3]] == [record.input["text"] for record in records[3:]][::-1]
    assert [record.private for record in records] == [{}, {"email": 1}, {}, {}, {"email": 1}, {}]
    hits, misses = (f'burnish_cache_total{{name="intent",result="{one}",version="1"}}' for one in ("hit", "miss"))
    assert f"{hits} 4.0" in metrics  # of the first request the second "good day" too
    assert f"{misses} 2.0" in metrics


def test_by_default_nothing_is_remembered(house):
    with house.service() as service:
        sizes = watched(service)
        for _ in range(2):
            answer(service, ["good day"])
        assert b"burnish_cache_total{" not in service.metrics.text()
    assert sizes == [1, 1]


def test_no_more_is_remembered_than_was_said(house):
    with house.service(cache=2) as service:
        sizes = watched(service)
        for text in ("a", "b", "c", "c", "a"):
            answer(service, [text])
    assert sizes == [1, 1, 1, 1]  # the second "c" was known; "a" had made room


def test_requests_that_come_together_are_each_answered_rightly_known_or_not(house, answer_of):
    texts = [f"{'good' if number % 3 else 'bad'} {number % 7}" for number in range(60)]

    async def ask_all(service):
        return await asyncio.gather(*(service.answer("intent", [text], call()) for text in texts))

    with house.service(cache=5) as service:
        found = [one.items[0] for _ in range(3) for one in asyncio.run(ask_all(service))]
    wanted = [answer_of(text) for text in texts] * 3
    assert [item["label"] for item in found] == [one["label"] for one in wanted]
    assert [item["confidence"] for item in found] == pytest.approx([one["confidence"] for one in wanted], abs=1e-4)


def test_a_new_version_remembers_nothing_of_the_old_one(house, bundle, tmp_path):
    released(house.home, twin_of(bundle, tmp_path / "twin"))
    with house.service(cache=10) as service:
        answer(service, ["good day"])
        house.home.releases.promote("intent", 3, "user test")
        wait_until(lambda: answer(service, ["other"]).release.version == 3)
        sizes = watched(service)
        answer(service, ["good day"])
    assert sizes == [1]


def test_no_text_is_remembered_and_no_batch_is_held_on_to_for_one_answer(house):
    with house.service(cache=10) as service:
        answer(service, ["a long text of somebody", "b"])
        memory = service.fleet.loaded(service.fleet.routing("intent").main).memory
        rows = [row for row, _ in memory._answers.values()]
    assert len(rows) == 2
    assert all(row.example == {} for row in rows)
    assert all(output.base is None for row in rows for output in row.outputs)
    assert {output.size for row in rows for output in row.outputs} == {2}
