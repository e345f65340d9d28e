"""Who may ask what: every route and method, every kind of key, and the policy to the letter."""

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient
from tests.serving.house import ROLES

from burnish.serving.http.app import make_app
from burnish.serving.http.guard import GuardedRoute, permission_of, permits

OPEN = "anybody"
PREDICT = {"predict", "admin"}
FEEDBACK = {"feedback", "review", "admin"}
REVIEW = {"review", "release", "admin"}
RELEASE = {"release", "admin"}
ADMIN = {"admin"}
POLICY = {
    ("GET", "/health/live"): OPEN,
    ("GET", "/health/ready"): OPEN,
    ("GET", "/metrics"): REVIEW,
    ("POST", "/v1/models/{name}/predict"): PREDICT,
    ("GET", "/v1/models"): PREDICT,
    ("GET", "/v1/models/{name}"): PREDICT,
    ("GET", "/v1/models/{name}/releases"): REVIEW,
    ("POST", "/v1/models/{name}/promote"): RELEASE,
    ("POST", "/v1/models/{name}/rollback"): RELEASE,
    ("PUT", "/v1/models/{name}/traffic"): RELEASE,
    ("POST", "/v1/feedback"): FEEDBACK,
    ("GET", "/v1/feedback"): REVIEW,
    ("POST", "/v1/feedback/decide"): REVIEW,
    ("GET", "/v1/predictions/{prediction_id}"): FEEDBACK,
    ("GET", "/v1/keys"): ADMIN,
    ("POST", "/v1/keys"): ADMIN,
    ("DELETE", "/v1/keys/{identity}"): ADMIN,
    ("POST", "/v1/keys/{identity}/rotate"): ADMIN,
    ("GET", "/v1/alerts"): REVIEW,
    ("POST", "/v1/alerts/{identity}"): REVIEW,
    ("GET", "/v1/jobs"): RELEASE,
    ("POST", "/v1/jobs"): RELEASE,
    ("DELETE", "/v1/jobs/{identity}"): RELEASE,
    ("GET", "/v1/audit"): ADMIN,
    ("POST", "/v1/erase"): ADMIN,
    ("GET", "/v2"): PREDICT,
    ("GET", "/v2/health/live"): OPEN,
    ("GET", "/v2/health/ready"): OPEN,
    ("GET", "/v2/models/{name}/ready"): PREDICT,
    ("GET", "/v2/models/{name}"): PREDICT,
    ("POST", "/v2/models/{name}/infer"): PREDICT,
    ("POST", "/v1/chat/completions"): PREDICT,
    ("POST", "/v1/embeddings"): PREDICT,
    ("GET", "/openapi.json"): OPEN,
}
"""(method, path) → the roles that may; what is not here must not be there."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
EVERY = [pytest.param(method, path, id=f"{method} {path}") for method, path in POLICY]


def routes_of(router):
    """Every route of an application, those of routers in it too."""
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        yield from [route] if inner is None else routes_of(inner)


def send(client, method, path, headers):
    real = path.format(name="intent", identity="nobody", prediction_id="p_none")
    return client.request(method, real, headers=headers)


def bare(client):
    """A client that sends no key of its own."""
    return TestClient(client.app)


def test_the_policy_is_about_every_route_that_there_is(asked):
    routes = list(routes_of(asked.app.root))
    assert {type(route) for route in routes} == {GuardedRoute}
    assert {(method, route.path) for route in routes for method in route.methods} == POLICY.keys()


@pytest.mark.parametrize(("method", "path"), EVERY)
def test_without_a_valid_key_nothing_is_answered_but_what_anybody_may_ask(asked, shared_house, method, path):
    for headers in ({}, *(shared_house.as_role(one) for one in ("expired", "revoked")), {"x-api-key": "bk_1_2"}):
        found = send(bare(asked), method, path, headers)
        if POLICY[method, path] == OPEN and not (path == "/openapi.json" and headers):
            assert found.status_code == 200
        else:
            assert found.status_code == 401, headers
            assert found.headers["content-type"] == "application/problem+json"
            assert found.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), EVERY)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_the_policy_says_and_nothing_else(asked, shared_house, role, method, path):
    found = send(bare(asked), method, path, shared_house.as_role(role))
    may = POLICY[method, path] == OPEN or role in POLICY[method, path]
    assert (found.status_code == 403) != may, found.text
    if not may:
        assert found.json()["detail"].startswith("this key may not do that; it takes one of the roles ")


@pytest.mark.parametrize("path", sorted({path for _, path in POLICY}))
def test_every_other_method_is_refused(asked, shared_house, path):
    for method in METHODS:
        if (method, path) not in POLICY:
            assert send(bare(asked), method, path, shared_house.as_role("admin")).status_code == 405, method


def test_a_method_said_in_a_header_is_not_the_method(asked, shared_house):
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        found = asked.get("/v1/keys", headers={**shared_house.as_role("admin"), header: "DELETE"})
        assert (found.status_code, "keys" in found.json()) == (200, True)


def test_a_key_for_some_models_sees_no_other_and_nothing_that_is_about_all(asked, shared_house):
    narrow = shared_house.as_role("narrow")  # predict and review, for the model `other`
    refused = "this key is for other only, and this is about every model."
    client = bare(asked)
    assert client.post("/v1/models/intent/predict", json={"inputs": "good"}, headers=narrow).status_code == 404
    assert client.get("/v1/models", headers=narrow).json() == {"models": []}
    assert client.get("/v1/models/intent", headers=narrow).status_code == 404
    for path in ("/metrics", "/v1/alerts"):
        found = client.get(path, headers=narrow)
        assert (found.status_code, found.json()["detail"]) == (403, refused)
    for path in ("/v1/feedback?name=intent", "/v1/alerts?name=intent", "/v2/models/intent"):
        assert client.get(path, headers=narrow).status_code == 404
    assert client.get("/v1/feedback?name=other", headers=narrow).json() == {"feedback": [], "total": 0}
    chat = {"model": "intent", "messages": [{"role": "user", "content": "good"}]}
    assert client.post("/v1/chat/completions", json=chat, headers=narrow).status_code == 404


def test_a_name_in_a_query_that_the_route_does_not_read_opens_nothing(house):
    keys = house.home.keys
    text = keys.create("ann", ["admin"], "user test", models=("intent",))[1]
    with house.client() as client:
        for path in ("/v1/audit?name=intent", "/v1/keys?name=intent", "/v1/jobs?name=intent", "/metrics?name=intent"):
            assert client.get(path, headers={"x-api-key": text}).status_code == 403


def test_a_route_without_a_permission_cannot_be_made():
    router = APIRouter(route_class=GuardedRoute)

    async def forgotten():
        """Says nothing."""

    with pytest.raises(TypeError, match=r"^the route forgotten declares no permission$"):
        router.get("/forgotten")(forgotten)
    with pytest.raises(TypeError, match="declares no permission"):
        permission_of(forgotten)
    assert permission_of(permits("admin")(forgotten)).name == "admin"


def test_the_short_way_of_predicting_has_the_same_guard(asked, shared_house):
    for role, status in (("predict", 200), ("feedback", 403), ("revoked", 401)):
        found = bare(asked).post(
            "/v1/models/intent/predict", json={"inputs": "good"}, headers=shared_house.as_role(role)
        )
        assert found.status_code == status


def test_an_app_of_another_service_knows_its_own_keys_only(house, shared_house, asked):
    text = house.home.keys.create("here", ["admin"], "user test")[1]
    with house.service() as service:
        client = TestClient(make_app(service))
        assert client.get("/v1/keys", headers={"x-api-key": text}).status_code == 200
        assert asked.get("/v1/keys", headers={"Authorization": f"Bearer {text}"}).status_code == 401
