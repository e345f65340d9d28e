"""Hostile names in every place of the API that takes one: nothing outside is read or written, and nothing breaks."""

import asyncio
from urllib.parse import quote

import pytest
from tests.serving.house import ask
from tests.store.hostile import PATHS

JSON = {"content-type": "application/json"}
MAY_BE_DONE = ("/v1/erase", "/v1/feedback/decide")
CANARY = "the canary sings"
NAMES = [name for name in PATHS if name not in ("", ".", "..", "CON:1", "NUL") and "\ud800" not in name]
PLACES = [
    ("POST", "/v1/models/{}/predict", {"inputs": "good"}),
    ("GET", "/v1/models/{}", None),
    ("GET", "/v1/models/{}/releases", None),
    ("POST", "/v1/models/{}/promote", {"version": 1}),
    ("POST", "/v1/models/{}/rollback", {}),
    ("PUT", "/v1/models/{}/traffic", {}),
    ("GET", "/v1/predictions/{}", None),
    ("DELETE", "/v1/keys/{}", None),
    ("POST", "/v1/keys/{}/rotate", {}),
    ("POST", "/v1/alerts/{}", {"state": "resolved"}),
    ("DELETE", "/v1/jobs/{}", None),
    ("GET", "/v2/models/{}", None),
    ("GET", "/v2/models/{}/ready", None),
    ("POST", "/v2/models/{}/infer", {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]}]}),
    ("GET", "/v1/feedback?name={}", None),
    ("GET", "/v1/alerts?name={}", None),
]
IN_BODIES = [
    ("/v1/chat/completions", lambda name: {"model": name, "messages": [{"role": "user", "content": "a"}]}),
    ("/v1/embeddings", lambda name: {"model": name, "input": "a"}),
    ("/v1/feedback", lambda name: {"prediction_id": name[:64], "accepted": True}),
    ("/v1/erase", lambda name: {"key": name[:64]}),
    ("/v1/feedback/decide", lambda name: {"ids": [name], "state": "accepted"}),
    ("/v1/jobs", lambda name: {"kind": "monitor", "arguments": {"name": name}}),
]


@pytest.fixture
def admin(house):
    """A server with a file beside its folder that must not be told."""
    (house.folder.parent / "secret.txt").write_text(CANARY)
    (house.folder / "secret.txt").write_text(CANARY)
    with house.client() as client:
        client.headers.update(house.as_role("admin"))
        yield client


def files_of(folder):
    return sorted(str(file) for file in folder.rglob("*") if not file.name.endswith((".jsonl", "-wal", "-shm")))


@pytest.mark.parametrize(("method", "path", "body"), PLACES, ids=[f"{method} {path}" for method, path, _ in PLACES])
def test_no_name_in_a_path_leads_anywhere(admin, house, method, path, body):
    before, headers = files_of(house.folder.parent), {"authorization": admin.headers["authorization"]}
    route, _, query = path.partition("?")

    async def ask_all():
        for name in [*NAMES, "../secret.txt", "..%2fsecret.txt", "....//secret.txt"]:
            for written in (quote(name, safe=""), quote(name, safe="/.:@")):
                asked = (route.format(written), body, query.format(written))
                status, told = await ask(admin.app, method, *asked, **headers, **JSON)
                assert status in (404, 405, 422), (name, told)
                assert CANARY not in told

    asyncio.run(ask_all())
    assert files_of(house.folder.parent) == before


@pytest.mark.parametrize(("path", "body_of"), IN_BODIES, ids=[path for path, _ in IN_BODIES])
def test_no_name_in_a_body_leads_anywhere(admin, house, path, body_of):
    before, headers = files_of(house.folder.parent), {"authorization": admin.headers["authorization"]}

    async def ask_all():
        for name in NAMES:
            status, told = await ask(admin.app, "POST", path, body_of(name), **headers, **JSON)
            assert status in (200, 201) if path in MAY_BE_DONE else status in (404, 422), (name, told)
            assert CANARY not in told

    asyncio.run(ask_all())
    assert files_of(house.folder.parent) == before


def test_a_path_that_leads_out_of_the_api_is_not_there(admin):
    headers = {"authorization": admin.headers["authorization"]}
    for path in (
        "/../../etc/passwd", "/v1/../secret.txt", "//secret.txt", "/secret.txt", "/v1/models/..%2f..%2fsecret.txt",
        "/proc/self/environ", "/docs", "/redoc", "/static/x", "/v1/models/intent/predict/", "/V1/models", "", "*",
        "/v1/models/", "/health/live/", "//evil.example/v1/models", "http://evil.example/v1/models",
    ):  # fmt: skip
        status, told = asyncio.run(ask(admin.app, "GET", path, host="evil.example", **headers))
        assert (status, CANARY in told, "evil" in told) == (404, False, False), path


def test_a_near_name_is_suggested(admin):
    found = admin.post("/v1/models/intend/predict", json={"inputs": "good"})
    assert found.json()["detail"] == "there is no model 'intend' here. Did you mean 'intent'?"
    found = admin.get("/v1/models/INTENT")
    assert found.json()["detail"] == "there is no model 'INTENT': a name has up to 64 of a-z 0-9 . _ -"
