"""Whether the server lives and can answer."""

from burnish.store.store import StoreUnavailable


def test_a_server_that_can_answer_is_ready(asked):
    assert asked.get("/health/live").json() == {"status": "live"}
    assert asked.get("/health/ready").json() == {"status": "ready", "models": 1}
    assert asked.get("/v2/health/live").json() == {"live": True}
    assert asked.get("/v2/health/ready").json() == {"ready": True}


def test_a_server_that_shuts_down_still_lives_and_is_not_ready_and_says_so_on_every_answer(client):
    client.service.is_draining = True
    live, ready = client.get("/health/live"), client.get("/health/ready")
    assert (live.status_code, ready.status_code, ready.json()) == (200, 503, {"status": "draining"})
    assert client.get("/v2/health/ready").status_code == 503
    found = client.post("/v1/models/intent/predict", json={"inputs": "good"})
    assert (found.status_code, found.headers["connection"]) == (200, "close")


def test_without_its_store_a_server_answers_and_says_that_it_is_degraded(client, monkeypatch):
    from tests.serving.house import wait_until

    def gone(*arguments, **more):
        raise StoreUnavailable("the database does not answer.")

    service = client.service
    monkeypatch.setattr(service.home.keys, "all", gone)
    monkeypatch.setattr(service.home.releases, "aliases", gone)
    wait_until(lambda: client.get("/health/ready").json()["status"] == "degraded")
    assert client.get("/health/ready").status_code == 200
    assert client.post("/v1/models/intent/predict", json={"inputs": "good"}).status_code == 200
    monkeypatch.undo()
    wait_until(lambda: client.get("/health/ready").json()["status"] == "ready")
