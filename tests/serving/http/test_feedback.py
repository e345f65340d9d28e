"""POST /v1/feedback and what is seen of it: whose answers, which corrections, and once only."""

import threading
import time

import pytest
from tests.serving.house import released, wait_until
from tests.store.conftest import prediction

from burnish.core.ids import new_id
from burnish.feedback.opinions import opinions
from burnish.serving.desk import Desk

PATH = "/v1/feedback"


def predicted(client, text="good day", **headers):
    found = client.post("/v1/models/intent/predict", json={"inputs": text}, headers=headers)
    return found.json()["predictions"][0]["prediction_id"]


def say(client, headers=None, **said):
    return client.post(PATH, json=said, headers=headers)


def kept(house, name="intent"):
    return list(house.home.corrections.of_period(name))


def test_an_answer_is_corrected_a_moment_after_it_was_given(client, house):
    identity = predicted(client)
    found = say(client, prediction_id=identity, label="bad", comment="it rains")
    assert found.status_code == 200
    told = found.json()
    assert told["state"] == "accepted"
    [one] = kept(house)
    assert (one.id, one.prediction, one.kind, one.value, one.comment) == (
        told["feedback_id"], identity, "label", "bad", "it rains",
    )  # fmt: skip
    assert b'burnish_feedback_total{name="intent",state="accepted"} 1.0' in client.service.metrics.text()


def test_an_answer_of_another_key_is_not_there_but_for_a_reviewer(client, house):
    identity = predicted(client)
    for role, status in (("twin", 404), ("feedback", 404), ("review", 200), ("admin", 200)):
        found = say(client, house.as_role(role), prediction_id=identity, label="bad")
        assert found.status_code == status, role
        if status == 404:
            assert found.json()["detail"] == "there is no prediction of that id for this key."
        assert client.get(f"/v1/predictions/{identity}", headers=house.as_role(role)).status_code == status


def test_another_keys_answer_and_one_that_never_was_are_refused_alike(client, house):
    twin, theirs, nobodys = house.as_role("twin"), predicted(client), new_id("p")
    found = [say(client, twin, prediction_id=one, label="bad") for one in (theirs, nobodys, "p_x", "", "x" * 64)]
    assert {(one.status_code, one.content) for one in found} == {(404, found[0].content)}


def test_an_answer_that_is_erased_between_look_and_word_gets_no_word(client, house, monkeypatch):
    identity, known = predicted(client), house.home.predictions.find
    monkeypatch.setattr(house.home.predictions, "find", lambda one: (known(one), erase())[0])

    def erase():
        monkeypatch.setattr(house.home.predictions, "find", known)
        house.home.predictions.erase("ann", key=known(identity).key)

    client.service.journal.flush()
    found = say(client, {"Idempotency-Key": "once"}, prediction_id=identity, label="bad", comment="canary")
    assert found.status_code == 404
    assert found.json()["detail"] == f"the answer '{identity}' is not there any more; feedback on it is not kept."
    assert kept(house) == []
    assert b'burnish_feedback_total{name="intent",state="accepted"}' not in client.service.metrics.text()


def test_an_id_that_cannot_be_in_a_journal_moves_no_journal(client, monkeypatch):
    calls = []
    monkeypatch.setattr(client.service.journal, "flush", lambda **how: calls.append(how))
    old = "p_" + "0" * 26
    for identity in (old, "f_" + new_id("p")[2:], new_id("p") + "0", new_id("p").upper()):
        assert say(client, prediction_id=identity, label="bad").status_code == 404
    assert calls == []
    assert say(client, prediction_id=new_id("p"), label="bad").status_code == 404
    assert calls == [{"of_others": True}]


def test_a_store_that_hangs_takes_no_more_feedback_than_was_said_and_all_else_goes_on(house, client, monkeypatch):
    client.service.desk = Desk(2, 3)
    identity, hangs, found = predicted(client), threading.Event(), []
    find = house.home.predictions.find
    monkeypatch.setattr(house.home.predictions, "find", lambda one: hangs.wait() and find(one))

    def send():
        found.append(say(client, prediction_id=identity, label="bad"))

    threads = [threading.Thread(target=send) for _ in range(9)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(found) == 6)
    assert {(one.status_code, one.json()["detail"]) for one in found} == {
        (503, "too much waits for the store now; nothing was changed.")
    }
    assert client.get("/metrics", headers=house.as_role("admin")).status_code == 200
    assert predicted(client)
    hangs.set()
    for thread in threads:
        thread.join()
    assert sorted(one.status_code for one in found) == [200] * 3 + [503] * 6


def made(seconds_ago):
    """An id as of then."""
    number, letters = int((time.time() - seconds_ago) * 1000) << 82, "0123456789abcdefghjkmnpqrstvwxyz"
    return "p_" + "".join(letters[number >> shift & 31] for shift in range(125, -1, -5))


def is_on_its_way(found):
    """503, and a time to come again."""
    if found.status_code != 503:
        return False
    detail = found.json()["detail"]
    assert detail == "there is no prediction of that id for this key yet; it may be on its way."
    return int(found.headers["retry-after"]) >= 2


def test_after_an_outage_what_still_waits_is_on_its_way_and_not_unknown(house, client):
    """The answer is of ten minutes ago, and the journal has not moved since before."""
    twin = house.as_role("twin")
    waits, older, newer = made(600), made(700), predicted(client)
    client.service._stopped.set()
    for thread in client.service._threads:
        thread.join()
    client.service.journal.flush()
    assert say(client, prediction_id=waits, label="bad").status_code == 404
    key = house.home.predictions.find(newer).key
    client.service.journal.add([prediction(waits, at=time.time() - 600, key=key, answer={"label": "good"})])
    assert is_on_its_way(say(client, prediction_id=waits, label="bad"))
    assert is_on_its_way(client.get(f"/v1/predictions/{waits}"))
    assert is_on_its_way(say(client, twin, prediction_id=newer, label="bad"))  # of another key, as if it were unknown
    assert is_on_its_way(say(client, twin, prediction_id=made(0), label="bad"))
    assert say(client, prediction_id=older, label="bad").status_code == 404
    assert say(client, prediction_id=newer, label="bad").status_code == 200
    client.service.journal.flush()
    assert say(client, prediction_id=waits, label="bad").status_code == 200
    assert say(client, twin, prediction_id=waits, label="bad").status_code == 404


def test_with_servers_on_several_machines_a_new_answer_may_wait_on_another_one(house, client):
    """As PostgreSQL is shared; no key can tell whether an id is unknown or another key's."""
    theirs = predicted(client)
    client.service.journal.flush()
    assert client.service.is_alone
    client.service.is_alone = False
    twin = house.as_role("twin")
    found = [say(client, twin, prediction_id=one, label="bad") for one in (theirs, made(0), made(50))]
    assert [is_on_its_way(one) for one in found] == [True] * 3
    assert say(client, prediction_id=theirs, label="bad").status_code == 200
    assert say(client, prediction_id=made(70), label="bad").status_code == 404


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        ({}, "say exactly one of label, spans, score and accepted; got 0 of them."),
        ({"label": "good", "accepted": True}, "say exactly one of label, spans, score and accepted; got 2 of them."),
        ({"label": "goood"}, "there is no label 'goood'. Did you mean 'good'? The labels are: bad, good."),
        ({"label": ["good"]}, "the label must be one name; got ['good']."),
        ({"score": 0.5},
         "an answer of the task 'classification' takes feedback of the kinds: label, accepted; got 'score'."),
        ({"accepted": "yes"}, "accepted.bool: Input should be a valid boolean; and 1 more."),
        ({"label": "good", "why": "x"}, "why: Extra inputs are not permitted."),
    ],
)  # fmt: skip
def test_feedback_that_cannot_be_meant_is_told_and_not_kept(client, house, said, detail):
    found = say(client, prediction_id=predicted(client), **said)
    assert (found.status_code, found.json()["detail"]) == (422, detail)
    assert kept(house) == []


def test_the_same_request_again_gets_the_same_bytes_and_is_kept_once(client, house):
    identity = predicted(client)
    token = {"Idempotency-Key": "order 66"}
    first, second = (say(client, token, prediction_id=identity, label="bad") for _ in range(2))
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert len(kept(house)) == 1
    other = say(client, token, prediction_id=identity, label="good")
    assert (other.status_code, other.json()["detail"]) == (
        422, "this Idempotency-Key was used for another request; use a new one for each.",
    )  # fmt: skip
    assert say(client, {**token, **house.as_role("review")}, prediction_id=identity, label="good").status_code == 200
    assert len(kept(house)) == 2


def test_without_a_token_the_same_word_again_is_another_word(client, house):
    identity = predicted(client)
    for _ in range(2):
        assert say(client, prediction_id=identity, label="bad").status_code == 200
    assert len(kept(house)) == 2


def test_twins_at_the_same_moment_are_one(client, house):
    identity, token, found = predicted(client), {"Idempotency-Key": "twins"}, []

    def send():
        found.append(say(client, token, prediction_id=identity, label="bad"))

    threads = [threading.Thread(target=send) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(one.status_code, one.content) for one in found} == {(200, found[0].content)}
    assert len(kept(house)) == 1
    assert b'burnish_feedback_total{name="intent",state="accepted"} 1.0' in client.service.metrics.text()


@pytest.mark.parametrize("token", ["", "x" * 201, "a\tb"])
def test_a_token_that_is_none_is_told(client, token):
    found = say(client, {"Idempotency-Key": token}, prediction_id=predicted(client), label="bad")
    assert (found.status_code, found.json()["detail"]) == (
        400, "Idempotency-Key must have 1 to 200 printable characters.",
    )  # fmt: skip


def test_a_token_lives_as_long_as_the_installation(make_house):
    house = make_house()
    with house.client() as client:
        identity = predicted(client)
        first = say(client, {"Idempotency-Key": "k"}, prediction_id=identity, label="bad")
    with house.client() as client:
        second = say(client, {"Idempotency-Key": "k"}, prediction_id=identity, label="bad")
    assert first.content == second.content


def test_reviewers_see_what_was_said_newest_first_and_decide(client, house):
    review = house.as_role("review")
    ids = []
    for label in ("bad", "good", "bad"):
        ids.append(say(client, prediction_id=predicted(client), label=label).json()["feedback_id"])
    told = client.get(PATH, params={"name": "intent", "most": 2}, headers=review).json()
    assert ([one["id"] for one in told["feedback"]], told["total"]) == ([ids[2], ids[1]], 3)
    decision = {"ids": [ids[0], "f_none"], "state": "rejected", "reason": "a joke"}
    assert client.post("/v1/feedback/decide", json=decision, headers=review).json() == {"decided": 1}
    told = client.get(PATH, params={"name": "intent", "state": "rejected"}, headers=review).json()
    assert [(one["id"], one["reason"]) for one in told["feedback"]] == [(ids[0], "a joke")]
    assert client.get(PATH, params={"name": "intent", "since": 4e9}, headers=review).json()["total"] == 0


@pytest.mark.parametrize("query", [{"most": 0}, {"most": 1001}, {"state": "odd"}, {"since": "soon"}, {}])
def test_a_question_that_is_none_is_told(client, house, query):
    params = query if query == {} else {"name": "intent", **query}
    assert client.get(PATH, params=params, headers=house.as_role("review")).status_code == 422


def test_a_reviewer_of_some_models_decides_on_theirs_only(client, house):
    mine = house.home.keys.create("mine", ["review"], "user test", models=("intent",))[1]
    others = house.home.keys.create("others", ["review"], "user test", models=("other",))[1]
    client.service.refresh_keys()
    identity = predicted(client)
    one = say(client, prediction_id=identity, label="bad").json()["feedback_id"]
    decision = {"ids": [one], "state": "rejected"}
    for text, n in ((others, 0), (mine, 1)):
        headers = {"Authorization": f"Bearer {text}"}
        assert client.post("/v1/feedback/decide", json=decision, headers=headers).json() == {"decided": n}
        assert client.get(f"/v1/predictions/{identity}", headers=headers).status_code == (200 if n else 404)


def test_what_was_answered_can_be_looked_at_without_what_only_the_server_needs(client):
    identity = predicted(client, "坏 day")
    told = client.get(f"/v1/predictions/{identity}").json()
    assert (told["id"], told["input"], told["version"]) == (identity, {"text": "坏 day"}, 1)
    assert not {"vector", "input_digest", "key"} & told.keys()


def test_what_was_checked_can_be_read_once_it_is_kept_and_the_digits_are_in_the_kept_text_only(house, tagger):
    """An order's number, which alone would be masked as that of a telephone."""
    released(house.home, tagger, "orders", "tokens")
    house.home.releases.promote("orders", 1, "user test")
    text = "order 13800138000 is late"
    with house.client("orders") as client:
        told = client.post("/v1/models/orders/predict", json={"inputs": text}).json()
        identity = told["predictions"][0]["prediction_id"]
        span = {"start": 6, "end": 17, "label": "ORDER", "text": "13800138000"}
        assert say(client, prediction_id=identity, spans=[span]).status_code == 200
        task = client.service.fleet._served[house.home.releases.find("orders").digest].predictor.task
    [one] = kept(house, "orders")
    assert one.value == [[6, 17, "ORDER"]]
    prediction = house.home.predictions.find(identity)
    assert prediction.input == {"text": text}
    [opinion] = opinions([one], {identity: prediction}, task)
    assert opinion.gold == {(6, 17, "ORDER")}


def test_an_answer_of_a_model_that_is_not_served_here_can_be_corrected_and_loads_nothing(make_house, bundle):
    house = make_house()
    released(house.home, bundle, "mood")
    house.home.releases.promote("mood", 1, "user test")
    with house.client("mood") as client:
        found = client.post("/v1/models/mood/predict", json={"inputs": "good"})
        identity = found.json()["predictions"][0]["prediction_id"]
    with house.client("intent") as client:
        n_loaded = len([line for line in house.lines() if line["message"] == "loaded"])
        assert say(client, prediction_id=identity, label="good").status_code == 200
        assert say(client, prediction_id=identity, label="odd").status_code == 422
        assert len([line for line in house.lines() if line["message"] == "loaded"]) == n_loaded
