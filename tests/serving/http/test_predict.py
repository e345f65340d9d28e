"""POST /v1/models/{name}/predict: one or many inputs, and lines."""

import pytest

PATH = "/v1/models/intent/predict"


def test_one_text_gets_its_answer_with_an_id_and_the_version(asked, answer_of):
    found = asked.post(PATH, json={"inputs": "good day"})
    assert found.status_code == 200
    told = found.json()
    assert (told["model"], told["version"]) == ("intent", 1)
    [answer] = told["predictions"]
    assert answer["prediction_id"].startswith("p_")
    assert answer["confidence"] == pytest.approx(answer_of("good day")["confidence"], abs=1e-6)
    assert answer["label"] == answer_of("good day")["label"]


def test_many_texts_and_rows_are_answered_in_their_order(asked, answer_of):
    texts = ["good day", "坏的一天", "so good a day and a long one", "bad"]
    inputs = [texts[0], {"text": texts[1]}, *texts[2:]]
    told = asked.post(PATH, json={"inputs": inputs}).json()["predictions"]
    wanted = [answer_of(text)["confidence"] for text in texts]
    assert len(set(wanted)) == 4
    assert [one["confidence"] for one in told] == pytest.approx(wanted, abs=1e-6)
    assert len({one["prediction_id"] for one in told}) == 4
