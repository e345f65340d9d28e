"""What is in service, and changing what answers."""

from types import SimpleNamespace

import pytest
from tests.serving.house import wait_until

WHICH = "/v1/models/intent"


@pytest.fixture
def admin(house):
    with house.client() as client:
        client.headers.update(house.as_role("admin"))
        yield client


def version(client):
    return client.post(f"{WHICH}/predict", json={"inputs": "good"}).json()["version"]


def test_models_are_listed_with_what_they_read_and_answer(asked):
    one = {"name": "intent", "version": 1, "task": "classification", "inputs": ["text", "text_pair"],
           "labels": ["bad", "good"]}  # fmt: skip
    assert asked.get("/v1/models").json() == {"models": [one]}
    assert asked.get(WHICH).json() == one
    assert asked.get("/v1/models/mood").json()["detail"] == "there is no model 'mood' here."


def test_versions_are_listed_newest_first_with_their_aliases(asked, shared_house):
    told = asked.get(f"{WHICH}/releases", headers=shared_house.as_role("review")).json()
    assert [one["version"] for one in told["releases"]] == [2, 1]
    assert told["aliases"] == {"production": 1, "candidate": 2}
    assert "recipe" not in told["releases"][0]
    assert "digest" in told["releases"][0]
    found = asked.get("/v1/models/mood/releases", headers=shared_house.as_role("review"))
    assert (found.status_code, found.json()["detail"]) == (404, "there is no release of the name 'mood'.")


def test_a_promoted_version_answers_within_a_second_and_so_does_the_way_back(admin, house):
    assert version(admin) == 1
    told = admin.post(f"{WHICH}/promote", json={"version": 2, "why": "call 13912345678"}).json()
    assert told["version"] == 2
    wait_until(lambda: version(admin) == 2, 1.0)
    assert admin.post(f"{WHICH}/rollback", json={}).json()["version"] == 1
    wait_until(lambda: version(admin) == 1, 1.0)
    lines = {one.what: one for one in house.home.audit.entries()}
    assert lines["promote"].who.endswith("(admin)")
    assert lines["promote"].detail["why"] == "call [PHONE]"


@pytest.mark.parametrize(
    ("path", "body", "status", "detail"),
    [
        ("promote", {"version": 1}, 422, "intent:1 is production already."),
        ("promote", {"version": 9}, 404, "intent: there is no version 9; `burnish releases intent` lists those that"),
        ("promote", {"version": "2"}, 422, "version: Input should be a valid integer."),
        ("promote", {"version": 0}, 422, "version: Input should be greater than or equal to 1."),
        ("promote", {"version": 2, "forced": True}, 422, "forced: Extra inputs are not permitted."),
        ("promote", {}, 422, "version: Field required."),
        ("rollback", {}, 422, "intent: there is no version before production to go back to."),
        ("rollback", {"why": "x" * 1001}, 422, "why: String should have at most 1000 characters."),
    ],
)
def test_a_move_that_cannot_be_is_told_and_nothing_moves(admin, path, body, status, detail):
    found = admin.post(f"{WHICH}/{path}", json=body)
    assert found.status_code == status
    assert found.json()["detail"].startswith(detail)
    assert version(admin) == 1


def test_a_version_that_missed_its_gate_is_promoted_by_force_only(admin, house, bundle):
    from dataclasses import replace

    good = house.home.releases.find("intent:2")
    house.home.releases.register(replace(good, is_passed=False))
    found = admin.post(f"{WHICH}/promote", json={"version": 3})
    assert (found.status_code, found.json()["detail"]) == (
        409, "intent:3 missed its gate and is not promoted; force does it all the same.",
    )  # fmt: skip
    assert admin.post(f"{WHICH}/promote", json={"version": 3, "force": True}).status_code == 200


def test_a_canary_answers_its_share_and_the_answers_say_so(admin, house):
    put = admin.put(f"{WHICH}/traffic", json={"canary": 2, "percent": 40})
    assert put.json() == {"canary": 2, "percent": 40.0, "shadow": None, "shadow_percent": 100.0}
    wait_until(lambda: admin.get(WHICH).json().get("canary") == 2)
    found = [version(admin) for _ in range(200)]
    assert 40 < found.count(2) < 125  # five standard deviations (6.9) around 80
    admin.service.journal.flush()
    kept = {(one.version, one.traffic) for one in house.home.predictions.of_period("intent", traffic=None)}
    assert kept == {(1, "live"), (2, "canary")}
    admin.put(f"{WHICH}/traffic", json={})
    wait_until(lambda: "canary" not in admin.get(WHICH).json())
    assert {version(admin) for _ in range(30)} == {1}


def test_a_shadow_is_asked_and_compared_and_never_heard(admin, house):
    admin.put(f"{WHICH}/traffic", json={"shadow": 2})
    wait_until(lambda: admin.get(WHICH).json().get("shadow") == 2)
    assert {version(admin) for _ in range(20)} == {1}
    agreed = b'burnish_shadow_total{agrees="true",name="intent",version="2"} 20.0'
    wait_until(lambda: agreed in admin.service.metrics.text())
    admin.service.journal.flush()
    shadowed = list(house.home.predictions.of_period("intent", traffic="shadow"))
    assert [one.version for one in shadowed] == [2] * 20


def test_a_shadow_misses_what_it_is_not_meant_for(admin, monkeypatch):
    admin.put(f"{WHICH}/traffic", json={"shadow": 2, "shadow_percent": 25})
    wait_until(lambda: admin.get(WHICH).json().get("shadow") == 2)
    draws = iter([0.1, 0.3, 0.2, 0.9])
    monkeypatch.setattr("burnish.serving.service.random", SimpleNamespace(random=lambda: next(draws)))
    for _ in range(4):
        version(admin)
    told = b'burnish_inputs_total{name="intent",traffic="shadow",version="2"} 2.0'
    monkeypatch.undo()
    wait_until(lambda: told in admin.service.metrics.text())


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({"canary": 9, "percent": 5}, 404, "intent: there is no version 9;"),
        ({"shadow": 9}, 404, "intent: there is no version 9;"),
        ({"canary": 2}, 422, "the body: Value error, a canary has a version and a percent above 0; got one without"),
        ({"canary": 2, "percent": 101}, 422, "percent: Input should be less than or equal to 100."),
    ],
)
def test_traffic_that_cannot_be_is_told(admin, body, status, detail):
    found = admin.put(f"{WHICH}/traffic", json=body)
    assert found.status_code == status
    assert found.json()["detail"].startswith(detail)
