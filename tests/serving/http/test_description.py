"""The description of the API: for whom, and what it says of models."""

from starlette.testclient import TestClient

from burnish.serving.http.app import ROUTES


def told_to(client, headers=None):
    return TestClient(client.app).get("/openapi.json", headers=headers)


def test_without_a_key_no_model_is_named(everything):
    found = told_to(everything)
    assert found.status_code == 200
    assert "intent" not in found.text
    assert set(found.json()["paths"]) == {route.path for route in ROUTES} | {"/openapi.json"}


def test_with_a_key_its_models_are_described_by_their_tasks(everything, all_house):
    told = told_to(everything, all_house.as_role("predict")).json()
    schema = told["paths"]["/v1/models/intent/predict"]["post"]
    answers = schema["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["predictions"]
    assert {"prediction_id", "label", "confidence", "abstained"} <= set(answers["items"]["required"])
    inputs = schema["requestBody"]["content"]["application/json"]["schema"]["properties"]["inputs"]
    text, row = inputs["anyOf"][0]["anyOf"]
    assert text == {"type": "string", "maxLength": 100_000}
    assert (row["required"], row["additionalProperties"]) == (["text"], False)
    assert {"/v1/models/chat/predict", "/v1/models/vectors/predict"} <= told["paths"].keys()


def test_a_key_for_some_models_is_told_of_no_other(everything, all_house):
    found = told_to(everything, all_house.as_role("narrow"))
    assert (found.status_code, "intent" in found.text) == (200, False)


def test_a_wrong_key_is_told_nothing(everything):
    assert told_to(everything, {"x-api-key": "bk_1_2"}).status_code == 401


def test_every_operation_says_its_permission_and_its_refusals(asked):
    for path, operations in asked.get("/openapi.json").json()["paths"].items():
        for operation in operations.values():
            is_open = operation["x-permission"] == "open"
            assert operation["security"] == ([] if is_open else [{"key": []}])
            assert ("403" in operation["responses"]) == (not is_open), path
            for status, told in operation["responses"].items():
                if int(status) >= 400 and "ready" not in path:
                    assert list(told["content"]) == ["application/problem+json"]


def test_models_that_are_not_loaded_are_not_loaded_to_be_described(house):
    with house.client() as client:
        served, client.service.fleet._served = client.service.fleet._served, {}
        told = client.get("/openapi.json").json()
        assert "/v1/models/intent/predict" not in told["paths"]
        client.service.fleet._served = served


def test_limits_are_told(house):
    with house.client(inputs=3, characters=5) as client:
        told = client.get("/openapi.json").json()["paths"]["/v1/models/intent/predict"]["post"]
        _, several = told["requestBody"]["content"]["application/json"]["schema"]["properties"]["inputs"]["anyOf"]
        assert (several["minItems"], several["maxItems"]) == (1, 3)
        assert several["items"]["anyOf"][0]["maxLength"] == 5
