"""Keys, alerts, jobs, the audit log, and being forgotten."""

import json
import time

import pytest
from tests.serving.house import wait_until

from burnish.store.records import Alert

PREDICT = "/v1/models/intent/predict"


@pytest.fixture
def admin(house):
    with house.client() as client:
        client.headers.update(house.as_role("admin"))
        yield client


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


def test_a_new_key_works_at_once_and_is_told_once(admin, house):
    made = admin.post("/v1/keys", json={"owner": "客服", "roles": ["predict"]})
    assert made.status_code == 201
    text = made.json()["key"]
    assert admin.post(PREDICT, json={"inputs": "good"}, headers=bearer(text)).status_code == 200
    told = admin.get("/v1/keys")
    assert "客服" in told.text
    assert text not in told.text
    assert text.split("_", 2)[2] not in told.text
    assert not any("digest" in key for key in told.json()["keys"])


def test_a_key_has_the_bounds_that_it_was_made_with(admin):
    body = {"owner": "ann", "roles": ["predict"], "per_minute": 2, "per_day": 3, "days": 1, "models": ["intent"]}
    made = admin.post("/v1/keys", json=body).json()
    assert abs(made["expires_at"] - time.time() - 86_400) < 60
    headers = bearer(made["key"])
    assert admin.post(PREDICT, json={"inputs": ["a", "b"]}, headers=headers).status_code == 200
    found = admin.post(PREDICT, json={"inputs": "c"}, headers=headers)
    assert (found.status_code, found.json()["detail"]) == (
        429, "this key may ask 2 inputs a minute; they are used up.",
    )  # fmt: skip
    assert int(found.headers["retry-after"]) >= 1
    assert admin.post(PREDICT, json={"inputs": ["a"] * 3}, headers=headers).status_code == 422
    assert admin.get("/v1/models/mood", headers=headers).json()["detail"] == "there is no model 'mood' for this key."


def test_a_quota_counts_what_was_asked_before_the_server_started(house):
    text = house.home.keys.create("ann", ["predict"], "user test", per_day=3)[1]
    with house.client() as client:
        assert client.post(PREDICT, json={"inputs": ["a", "b"]}, headers=bearer(text)).status_code == 200
    with house.client() as client:
        assert client.post(PREDICT, json={"inputs": ["c", "d"]}, headers=bearer(text)).status_code == 429
        assert client.post(PREDICT, json={"inputs": ["c"]}, headers=bearer(text)).status_code == 200


def test_what_cannot_be_answered_or_read_costs_a_key_nothing(admin, house, monkeypatch):
    made = admin.post("/v1/keys", json={"owner": "ann", "roles": ["predict"], "per_day": 1}).json()
    headers = bearer(made["key"])
    assert admin.post(PREDICT, json={"inputs": {"txt": 1}}, headers=headers).status_code == 422
    late = {**headers, "X-Request-Timeout": "0.00001"}
    assert admin.post(PREDICT, json={"inputs": "a"}, headers=late).status_code == 503
    assert admin.post(PREDICT, json={"inputs": "a"}, headers=headers).status_code == 200
    assert admin.post(PREDICT, json={"inputs": "a"}, headers=headers).status_code == 429


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"owner": "", "roles": ["predict"]}, "owner: String should have at least 1 character."),
        ({"owner": "a", "roles": []}, "roles: List should have at least 1 item after validation, not 0."),
        ({"owner": "a", "roles": ["emperor"]},
         "roles.0: Input should be 'predict', 'feedback', 'review', 'release' or 'admin'."),
        ({"owner": "a", "roles": ["predict"], "days": -1}, "days: Input should be greater than 0."),
        ({"owner": "a", "roles": ["predict"], "per_day": 0}, "per_day: Input should be greater than or equal to 1."),
        ({"owner": "a", "roles": ["predict"], "per_day": 1.5}, "per_day: Input should be a valid integer."),
        ({"owner": "a", "roles": ["predict"], "models": ["../x"]},
         "models.0: String should match pattern '^[a-z0-9][a-z0-9._-]{0,63}$'."),
        ({"owner": "a", "roles": ["predict"], "x": 1, "y": 1}, "x: Extra inputs are not permitted; and 1 more."),
    ],
)  # fmt: skip
def test_a_key_that_cannot_be_is_told(admin, body, detail):
    found = admin.post("/v1/keys", json=body)
    assert (found.status_code, found.json()["detail"]) == (422, detail)


def test_a_revoked_key_is_refused_from_that_moment_on(admin):
    made = admin.post("/v1/keys", json={"owner": "ann", "roles": ["predict"]}).json()
    told = admin.delete(f"/v1/keys/{made['id']}").json()
    assert told["revoked_at"] is not None
    assert admin.post(PREDICT, json={"inputs": "a"}, headers=bearer(made["key"])).status_code == 401
    found = admin.delete("/v1/keys/nobody")
    assert (found.status_code, found.json()["detail"]) == (404, "there is no key 'nobody'; `burnish keys` lists them.")


def test_a_key_that_is_revoked_elsewhere_is_refused_within_a_second(admin, house):
    made, text = house.home.keys.create("ann", ["predict"], "user test")
    wait_until(lambda: admin.get("/v1/models", headers=bearer(text)).status_code == 200, 1.0)
    house.home.keys.revoke(made.id, "user test")
    wait_until(lambda: admin.get("/v1/models", headers=bearer(text)).status_code == 401, 1.0)


def test_a_version_that_loads_for_long_keeps_no_revoked_key_alive(house, monkeypatch):
    made, text = house.home.keys.create("ann", ["predict"], "user test")
    with house.client() as client:
        real = client.service.fleet._load
        monkeypatch.setattr(client.service.fleet, "_load", lambda release: (time.sleep(1.5), real(release))[1])
        house.home.releases.promote("intent", 2, "user test")
        time.sleep(0.4)  # it is being loaded now
        house.home.keys.revoke(made.id, "user test")
        wait_until(lambda: client.get("/v1/models", headers=bearer(text)).status_code == 401, 1.0)
        assert client.get("/v1/models").json()["models"][0]["version"] == 1


def test_a_replaced_key_is_taken_as_long_as_was_said(admin):
    made = admin.post("/v1/keys", json={"owner": "ann", "roles": ["predict"]}).json()
    second = admin.post(f"/v1/keys/{made['id']}/rotate", json={"overlap_s": 3600})
    assert second.status_code == 201
    assert second.json()["owner"] == "ann"
    for text in (made["key"], second.json()["key"]):
        assert admin.get("/v1/models", headers=bearer(text)).status_code == 200
    third = admin.post(f"/v1/keys/{second.json()['id']}/rotate", json={}).json()
    assert admin.get("/v1/models", headers=bearer(second.json()["key"])).status_code == 401
    assert admin.get("/v1/models", headers=bearer(third["key"])).status_code == 200
    found = admin.post(f"/v1/keys/{second.json()['id']}/rotate", json={})
    assert (found.status_code, "is revoked or expired; create a new one." in found.text) == (422, True)


def test_alerts_are_seen_and_taken_care_of(admin, house):
    made = [Alert(f"a_{n}", 1000.0 + n, "intent", "volume", "warning", "There are few.", {"seen": n}) for n in range(3)]
    house.home.alerts.add(made)
    told = admin.get("/v1/alerts", params={"name": "intent", "since": 1001}).json()["alerts"]
    assert [one["id"] for one in told] == ["a_2", "a_1"]
    assert admin.post("/v1/alerts/a_1", json={"state": "resolved"}).json() == {"id": "a_1", "state": "resolved"}
    assert admin.get("/v1/alerts").json()["alerts"][1]["state"] == "resolved"
    assert admin.post("/v1/alerts/a_1", json={"state": "open"}).status_code == 422
    assert admin.post("/v1/alerts/a_9", json={"state": "resolved"}).status_code == 404


def test_jobs_are_asked_for_and_cancelled(admin, house):
    body = {"kind": "retrain", "arguments": {"name": "intent"}, "due_in_s": 3600}
    made = admin.post("/v1/jobs", json=body)
    assert made.status_code == 201
    job = made.json()
    assert (job["kind"], job["state"]) == ("retrain", "waiting")
    assert abs(job["due_at"] - time.time() - 3600) < 60
    assert [one["id"] for one in admin.get("/v1/jobs").json()["jobs"]] == [job["id"]]
    assert admin.delete(f"/v1/jobs/{job['id']}").json() == {"id": job["id"], "state": "cancelled"}
    assert admin.delete(f"/v1/jobs/{job['id']}").status_code == 422
    assert admin.delete("/v1/jobs/j_none").status_code == 404
    assert admin.post("/v1/jobs", json={"kind": "retrain", "arguments": {}}).status_code == 422
    assert admin.post("/v1/jobs", json={"kind": "rm -rf", "arguments": {}}).status_code == 422


@pytest.mark.parametrize(
    "override",
    [
        "data.train=/etc/passwd", "train=/etc/passwd", "train.start=/etc/passwd", "base=/etc/passwd", "data.rows=3",
        "judge.gates=null", "train.observers=[jsonl]", "train.observers={name: jsonl, path: /tmp/x}", "train.start='5'",
        'train.start="5"', "train.epochs=3\n", "\ntrain.epochs=3", "train.epochs=3\ndata.train=x", "train.epochs=.inf",
        "train.epochs=${HOME}", "train.epochs=0x10", "train.epochs=", "train.epochs", "train.=3", "train..x=3",
        "train.epochs=३", "Train.epochs=3", "hub:x",
    ],
)  # fmt: skip
def test_over_http_a_recipe_is_overridden_by_numbers_of_train_only(admin, house, override):
    """A text could name a file of the server: its first line would stand in the job's result."""
    for more in ({}, {"every_s": 60}):
        arguments = {"name": "intent", "overrides": ["train.epochs=3", override], **more}
        found = admin.post(
            "/v1/jobs", json={"kind": "retrain", "arguments": arguments}, headers=house.as_role("release")
        )
        assert (found.status_code, found.json()["detail"]) == (
            422,
            (
                f"arguments: the override '{override}' is not taken over HTTP, only numbers, true, false and null of "
                "the section train, such as train.epochs=3; `burnish jobs --add` on the server takes all others."
            ),
        )
    assert house.home.jobs.all() == []


def test_numbers_true_false_and_null_of_train_are_taken_over_http(admin):
    said = [
        "train.epochs=3", "train.learning_rate=1e-3", "train.weight_decay=-0.5E+2", "train.peft=null",
        "train.optimizer.nesterov=true", "train.packing=false",
    ]  # fmt: skip
    made = admin.post("/v1/jobs", json={"kind": "retrain", "arguments": {"name": "intent", "overrides": said}})
    assert (made.status_code, made.json()["arguments"]["overrides"]) == (201, said)


def test_overrides_that_are_no_list_of_texts_are_told(admin):
    for overrides in ("train.epochs=3", [3], {"train.epochs": 3}, None):
        body = {"kind": "retrain", "arguments": {"name": "intent", "overrides": overrides}}
        found = admin.post("/v1/jobs", json=body)
        assert found.status_code == 422
        assert found.json()["detail"].startswith("overrides must be a list of texts")


def test_the_audit_log_tells_who_did_what_and_whether_it_is_whole(admin, house):
    admin.post("/v1/keys", json={"owner": "ann", "roles": ["predict"]})
    told = admin.get("/v1/audit").json()
    assert told["fault"] is None
    last = told["lines"][-1]
    assert (last["what"], last["who"].split(" ")[0], last["who"].split(" ")[2]) == ("key created", "key", "(admin)")
    n = len(told["lines"])
    assert [one["number"] for one in admin.get("/v1/audit", params={"after": n - 1}).json()["lines"]] == [n]
    for after in (-1, 2**53 + 1, "x"):
        assert admin.get("/v1/audit", params={"after": after}).status_code == 422


def test_what_a_key_asked_is_forgotten_with_all_that_was_said_of_it(admin, house):
    both = house.as_role("both")
    identity = admin.post(PREDICT, json={"inputs": "good day"}, headers=both).json()["predictions"][0]["prediction_id"]
    assert admin.post("/v1/feedback", json={"prediction_id": identity, "label": "bad"}).status_code == 200
    key = house.keys["both"].split("_")[1]
    assert admin.post("/v1/erase", json={"key": key}).json() == {"erased": 1}
    assert admin.get(f"/v1/predictions/{identity}").status_code == 404
    assert list(house.home.corrections.of_period("intent")) == []
    assert admin.post("/v1/erase", json={"key": key}).json() == {"erased": 0}


@pytest.mark.parametrize("said", ["my secret day", {"text": "my secret day"}])
def test_what_was_answered_to_one_input_is_forgotten(admin, said):
    for text in ("my secret day", "my secret day", "another day"):
        admin.post(PREDICT, json={"inputs": text})
    assert admin.post("/v1/erase", json={"input": said}).json() == {"erased": 2}


@pytest.mark.parametrize("body", [{}, {"key": "k", "input": "i"}])
def test_one_thing_is_forgotten_at_a_time(admin, body):
    found = admin.post("/v1/erase", json=body)
    assert (found.status_code, found.json()["detail"]) == (422, "say what is to be forgotten: a key, or an input.")


def test_metrics_are_those_of_prometheus_and_count_what_was_refused_too(admin, house):
    for body, n in (({"inputs": ["a", "b"]}, 3), ({"inputs": []}, 2)):
        for _ in range(n):
            admin.post(PREDICT, json=body)
    admin.get("/nowhere")
    found = admin.get("/metrics")
    assert found.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    for line in (
        'burnish_requests_total{route="/v1/models/{name}/predict",status="200"} 3.0',
        'burnish_requests_total{route="/v1/models/{name}/predict",status="422"} 2.0',
        'burnish_requests_total{route="none",status="404"} 1.0',
        'burnish_inputs_total{name="intent",traffic="live",version="1"} 6.0',
        'burnish_latency_seconds_count{route="/v1/models/{name}/predict"} 5.0',
        'burnish_confidence_count{name="intent",version="1"} 6.0',
        'burnish_swaps_total{name="intent",result="done"} 1.0',
    ):
        assert line in found.text, line
    answers = [line for line in found.text.splitlines() if line.startswith("burnish_answers_total{")]
    assert sum(float(line.split(" ")[-1]) for line in answers) == 6


def test_problems_are_never_cached_and_never_run(admin):
    for path in ("/v1/models", "/nowhere", "/health/live"):
        found = admin.get(path)
        assert found.headers["cache-control"] == "no-store"
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert not [name for name in found.headers if name.startswith("access-control")]


def test_json_of_a_key_is_what_the_description_says(admin):
    told = admin.get("/v1/keys").json()["keys"][0]
    assert json.dumps(sorted(told)) == json.dumps(
        sorted(["id", "owner", "roles", "at", "expires_at", "revoked_at", "per_minute", "per_day", "models"])
    )
