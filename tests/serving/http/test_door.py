"""In front of every route: our own faults, what is counted, what is logged."""

import pytest

from burnish.serving.problems import BUG

PREDICT = "/v1/models/intent/predict"


def served_of(client):
    return client.service.fleet.loaded(client.service.fleet.routing("intent").main)


def test_a_fault_of_ours_tells_the_client_nothing_and_the_log_where_it_arose(client, house):
    def failing(batch):
        raise ZeroDivisionError("with the client's own text")

    served_of(client).lane.process = failing
    found = client.post(PREDICT, json={"inputs": "good"})
    assert (found.status_code, found.json()["detail"]) == (500, BUG)
    bug, request = house.lines()[-2:]
    assert (bug["level"], bug["message"], bug["kind"]) == ("error", "This is a bug", "ZeroDivisionError")
    assert bug["where"].startswith("test_door.py:")
    assert (request["message"], request["status"], request["route"]) == (
        "request", 500, "/v1/models/{name}/predict",
    )  # fmt: skip
    assert "client's own text" not in house.log.getvalue()


def test_a_fault_on_any_other_route_is_told_alike(client, house, monkeypatch):
    def failing(*arguments):
        raise ZeroDivisionError("with a secret")

    monkeypatch.setattr(client.service.home.alerts, "all", failing)
    found = client.get("/v1/alerts", headers=house.as_role("review"))
    assert (found.status_code, found.headers["content-type"], found.json()["detail"]) == (
        500, "application/problem+json", BUG,
    )  # fmt: skip
    assert [line["kind"] for line in house.lines() if line["message"] == "This is a bug"] == ["ZeroDivisionError"]
    assert "with a secret" not in house.log.getvalue()


def test_a_slow_request_is_logged_without_what_it_asked(client, house, monkeypatch):
    monkeypatch.setattr("burnish.serving.http.door.SLOW_S", 0.0)
    client.post(PREDICT, json={"inputs": "good"})
    line = house.lines()[-1]
    assert line.keys() == {"at", "level", "message", "route", "status", "ms"}
    assert (line["route"], line["status"]) == ("/v1/models/{name}/predict", 200)


def test_a_quick_request_is_not_logged(client, house):
    n_before = len(house.lines())
    client.post(PREDICT, json={"inputs": "good"})
    client.post(PREDICT, json={"inputs": []})
    client.get("/nowhere")
    assert len(house.lines()) == n_before


def test_paths_that_are_not_there_make_no_new_numbers(client, house):
    for number in range(50):
        client.get(f"/nowhere/{number}")
        client.get(f"/v1/predictions/p_{number}")
    told = client.service.metrics.text().decode()
    lines = [line for line in told.splitlines() if line.startswith("burnish_requests_total")]
    assert len([line for line in lines if 'status="404"' in line]) == 2


def test_a_store_that_is_away_stops_no_answer_and_every_other_route_says_so(client, house, monkeypatch):
    from burnish.store.store import StoreUnavailable

    def gone(*arguments, **more):
        raise StoreUnavailable("could not connect to database at secret.example.")

    identity = client.post(PREDICT, json={"inputs": "good"}).json()["predictions"][0]["prediction_id"]
    monkeypatch.setattr(type(client.service.home.store), "reading", gone)
    monkeypatch.setattr(type(client.service.home.store), "writing", gone)
    assert client.post(PREDICT, json={"inputs": "good"}).status_code == 200
    found = client.post("/v1/feedback", json={"prediction_id": identity, "label": "bad"})
    assert (found.status_code, found.json()["detail"]) == (503, "the store does not answer now; nothing was changed.")
    assert int(found.headers["retry-after"]) >= 1
    assert "secret" not in found.text


@pytest.mark.parametrize("length", ["short", "long"])
def test_bodies_of_problems_say_their_own_length(client, length):
    found = client.post(PREDICT, json={"inputs": []} if length == "short" else {"x" * 500: 1})
    assert int(found.headers["content-length"]) == len(found.content)


def test_a_failed_request_is_counted_for_the_model_that_was_asked_and_a_refused_one_is_not(client):
    def failing(batch):
        raise ZeroDivisionError

    served_of(client).lane.process = failing
    client.post(PREDICT, json={"inputs": "good"})
    client.post(PREDICT, json={"inputs": 3})  # the client's own fault
    client.post("/v1/models/nobody/predict", json={"inputs": "good"})
    told = sorted((name, count) for (name, _), count in client.service.watch._errors.items())
    assert told == [("intent", 1), ("intent:1", 1)]  # of the model, and of the version that failed
