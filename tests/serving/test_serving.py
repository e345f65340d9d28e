"""What a server may be asked to do."""

import pytest

from burnish.core.errors import UserError
from burnish.serving.serving import Serving


def test_references_are_read_in_their_order():
    found = Serving(models=["intent", "mood@candidate", "topic:7"]).references()
    assert [str(one) for one in found] == ["intent@production", "mood@candidate", "topic:7"]


def test_one_name_has_one_address():
    with pytest.raises(UserError) as caught:
        Serving(models=["intent", "intent@candidate"]).references()
    assert str(caught.value) == (
        "'intent@production' and 'intent@candidate' have one name, and a name has one address; serve one of them. A "
        "second version beside production is a canary or a shadow: burnish traffic intent."
    )


def test_nothing_cannot_be_served():
    with pytest.raises(UserError, match=r"^there is nothing to serve; name a release, e\.g\. intent\.$"):
        Serving(models=[]).references()


def test_what_is_no_reference_is_told():
    with pytest.raises(UserError, match=r"^'\.\./intent' names no release; write name, name:7"):
        Serving(models=["../intent"]).references()


def test_every_field_has_its_sentence():
    assert all(field.description for field in Serving.model_fields.values())
