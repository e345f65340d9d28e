"""Names in what a server keeps: masked in inputs, answers and comments, while the model answers."""

import sqlite3
import threading

import pytest
from tests.flows.test_names import finder

from burnish.core.errors import UserError

PREDICT = "/v1/models/intent/predict"


@pytest.fixture(scope="module")
def names(tiny_base, tmp_path_factory):
    return finder(tmp_path_factory.mktemp("names"), tiny_base)


@pytest.fixture
def house(make_house, names):
    return make_house(mask_names=str(names))


def kept(house):
    with sqlite3.connect(house.folder / "burnish.db") as database:
        return "\n".join(database.iterdump())


def test_names_in_inputs_and_comments_are_masked_before_they_are_kept(house):
    with house.client() as client:
        found = client.post(PREDICT, json={"inputs": ["so x bad", "我的北坏", "so x bad"]}).json()["predictions"]
        ids = [one["prediction_id"] for one in found]
        comment = {"prediction_id": ids[0], "label": "bad", "comment": "all day y day so"}
        assert client.post("/v1/feedback", json=comment).status_code == 200
        client.service.journal.flush()
        told = client.get("/metrics", headers=house.as_role("admin")).text
    inputs = [house.home.predictions.find(one).input["text"] for one in ids]
    assert inputs == ["so [NAME] bad", "我的[NAME]坏", "so [NAME] bad"]
    [said] = house.home.corrections.of_period("intent")
    assert (said.value, said.comment) == ("bad", "all day [NAME] day so")
    assert 'burnish_private_total{kind="name",name="intent"} 3.0' in told
    for text in ("so x bad", "我的北坏", "all day y"):
        assert text not in kept(house)


def test_names_are_looked_for_together_and_never_by_the_thread_that_answers_connections(house, monkeypatch):
    asked = []
    with house.client() as client:
        find = client.service.recorder.mask.names
        predict = find._predictor.predict

        def watched(texts):
            asked.append((list(texts), threading.current_thread().name))
            return predict(texts)

        monkeypatch.setattr(find._predictor, "predict", watched)
        loop = client.portal.call(lambda: threading.current_thread().name)
        callers = []
        monkeypatch.setattr(type(find), "__call__", _noting(type(find).__call__, callers))
        answered = client.post(PREDICT, json={"inputs": ["so z bad", "我的海坏"]}).json()["predictions"][0]
        client.post(
            "/v1/feedback", json={"prediction_id": answered["prediction_id"], "label": "bad", "comment": "so y"}
        )
    assert asked[0][0] == ["so z bad", "我的海坏"]
    assert {thread.startswith("names") for _, thread in asked} == {True}
    assert loop not in callers


def _noting(call, callers):
    def noting(self, text):
        callers.append(threading.current_thread().name)
        return call(self, text)

    return noting


def test_a_bundle_that_finds_no_names_ends_the_start_with_a_sentence(make_house, bundle):
    house = make_house(mask_names=str(bundle))
    sentence = r"does classification; names are found by a bundle for tokens\.$"
    with pytest.raises(UserError, match=sentence), house.service():
        pass
