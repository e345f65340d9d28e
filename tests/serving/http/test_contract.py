"""The API does what its own description says: schemathesis asks every operation, with every check that it has."""

from collections import Counter

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from tests.serving.http.test_guard import POLICY

from burnish.serving.http.app import make_app

REFUSED = ["400", "401", "403", "404", "405", "408", "413", "415", "422", "429", "5xx"]
MORE_THAN_A_SCHEMA_SAYS = (
    "/v1/feedback", "/v1/jobs", "/v2/models/{name}/infer", "/v1/models/chat/predict", "/v1/chat/completions",
)  # fmt: skip
"""What is right there depends on the labels of a model, the settings of a retraining, another field, or turns."""


def config(headers, n_examples, *, is_whole):
    may_be_refused = {"positive_data_acceptance": {"expected-statuses": ["2xx", *REFUSED]}}
    return SchemathesisConfig.from_dict(
        {
            "headers": headers,
            "seed": 7,
            "generation": {"max-examples": n_examples, "deterministic": True, "database": "none"},
            "phases": {"stateful": {"enabled": is_whole}, "coverage": {"enabled": is_whole}},
            "checks": {"negative_data_rejection": {"expected-statuses": REFUSED}},
            "operations": [{"include-path": path, "checks": may_be_refused} for path in MORE_THAN_A_SCHEMA_SAYS],
        }
    )


def run(house, models, n_examples, *, is_whole=False):
    """How many cases each operation had, and what was wrong."""
    headers = house.as_role("admin")
    n_cases, faults = Counter(), []
    with house.service(*models) as service:
        asked = config(headers, n_examples, is_whole=is_whole)
        schema = schemathesis.openapi.from_asgi("/openapi.json", make_app(service), config=asked, headers=headers)
        for event in from_schema(schema).execute():
            if isinstance(event, events.NonFatalError | events.FatalError):
                faults.append(str(getattr(event, "info", event)))
            if isinstance(event, events.ScenarioFinished):
                n_cases[event.recorder.label] += len(event.recorder.cases)
                faults += told(event.recorder)
    return n_cases, faults


def told(recorder):
    for identity, checks in recorder.checks.items():
        for check in checks:
            if check.status.value == "failure":
                case = recorder.cases[identity].value
                yield f"{recorder.label}: {check.name}: {check.failure_info.failure.message}: {case.as_curl_command()}"


def test_every_operation_keeps_to_its_description(house):
    n_cases, faults = run(house, ["intent"], 5)
    assert faults == []
    described = {f"{method} {path}" for method, path in POLICY if path != "/openapi.json"}
    assert n_cases.keys() == {*described, "POST /v1/models/intent/predict"}
    assert not [line for line in house.lines() if line["level"] == "error"]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_operation_keeps_to_its_description_two_hundred_times(all_house):
    n_cases, faults = run(all_house, ["intent", "chat", "vectors"], 200, is_whole=True)
    print(f"{sum(n_cases.values()):,} cases of {len(n_cases)} operations, {len(faults)} faults")  # noqa: T201
    assert faults == []
    assert not [line for line in all_house.lines() if line["level"] == "error"]
