"""Every sink: built from a mapping, without a secret in it, and clear about what it lacks."""

import json

import pytest
from tests.monitoring.made import alert

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.monitoring.sinks._contract import Sink

NEEDED = {"webhook": {"url": "https://hooks.example.com/burnish"}}


@pytest.fixture(params=Shelf("sinks").names())
def sink(request):
    return Shelf("sinks").build({"name": request.param, **NEEDED.get(request.param, {})})


def test_it_is_built_from_a_mapping_and_written_back(sink):
    assert isinstance(sink, Sink)
    assert Shelf("sinks").build(json.loads(json.dumps(sink.as_recipe()))) == sink


def test_it_holds_no_secret_but_the_name_of_a_variable_that_does(sink, monkeypatch):
    variables = [value for key, value in sink.as_recipe().items() if key.endswith("_env")]
    assert variables
    for name in variables:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=rf"the environment variable {variables[0]} is not set"):
        sink.send(alert())
