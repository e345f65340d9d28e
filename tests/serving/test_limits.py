"""Depth of JSON. Every other bound is tested where it bounds something."""

import pytest
from pydantic import ValidationError

from burnish.serving.limits import Limits
from burnish.serving.problems import Problem


def nested(depth, kind=list):
    value = 1
    for _ in range(depth):
        value = [value] if kind is list else {"a": value}
    return value


@pytest.mark.parametrize("kind", [list, dict])
def test_json_may_be_as_deep_as_was_said_and_no_deeper(kind):
    limits = Limits(json_depth=4)
    limits.refuse_deep(nested(4, kind))
    with pytest.raises(Problem, match=r"^the body is nested deeper than 4 levels; send it flatter\.$"):
        limits.refuse_deep(nested(5, kind))


def test_breadth_is_no_depth():
    Limits(json_depth=3).refuse_deep({"a": [[1], [2], "text"], "b": {"c": 1}})


def test_every_bound_has_its_sentence_and_nothing_unknown_is_taken():
    assert all(field.description for field in Limits.model_fields.values())
    with pytest.raises(ValidationError, match="extra"):
        Limits(bites=3)
