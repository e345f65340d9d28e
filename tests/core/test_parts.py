from __future__ import annotations

import pytest
from pydantic import ValidationError

from burnish.core.events import Message, Progress, ignore
from burnish.core.parts import Part


class Sample(Part):
    height: int = 3
    """How high."""


def test_a_part_is_written_with_its_name_and_settings():
    assert Sample(height=4).as_recipe() == {"name": "test_parts", "height": 4}


def test_a_part_never_changes():
    with pytest.raises(ValidationError, match="frozen"):
        Sample().height = 4


def test_a_setting_that_a_part_does_not_have_is_refused():
    with pytest.raises(ValidationError, match="Extra inputs"):
        Sample(width=1)


def test_the_docstring_under_a_field_is_its_description():
    assert Sample.model_fields["height"].description == "How high."


def test_a_caller_who_does_not_want_to_know_is_told_nothing():
    assert ignore(Message("x")) is None
    assert ignore(Progress("train", 1, None, "steps")) is None
