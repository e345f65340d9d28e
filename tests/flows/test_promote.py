"""`promote` and `rollback` by what one types."""

import pytest
from tests.store.conftest import release

from burnish.core.errors import GateMissed, NotFound, UserError
from burnish.flows.promote import promote, rollback


@pytest.fixture
def three(new_home):
    """Three versions, of which the second missed its gate."""
    for is_passed in (True, False, True):
        new_home.releases.register(release(is_passed=is_passed))
    return new_home


def aliases(home):
    return {one.alias: one.version for one in home.releases.aliases()}


def test_a_version_is_promoted_by_its_number_or_as_the_candidate_and_rolled_back(three):
    assert promote("intent:1").version == 1
    assert promote("intent@candidate", why="better").version == 3
    assert aliases(three) == {"production": 3, "previous": 1}
    assert rollback("intent", why="不好").version == 1
    assert aliases(three) == {"production": 1, "previous": 3}
    assert rollback("intent").version == 3
    assert [one.detail["why"] for one in three.audit.entries() if one.what in ("promote", "rollback")] == [
        "", "better", "不好", "",
    ]  # fmt: skip


def test_what_missed_its_gate_is_promoted_by_force_only(three):
    with pytest.raises(GateMissed, match="intent:2 missed its gate and is not promoted") as caught:
        promote("intent:2")
    assert (caught.value.exit_code, aliases(three).get("production")) == (3, None)
    assert promote("intent:2", force=True).version == 2


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("intent", "say which version of 'intent': intent:7, or intent@candidate."),
        ("intnt:1", "Did you mean 'intent'?"),
        ("intent:9", "intent: there is no version 9"),
        ("intent@canidate", "Did you mean 'candidate'?"),
        ("../intent:1", "names no release"),
        ("intent@previous", "intent: no version is previous yet"),
    ],
)
def test_a_version_that_is_not_there_is_told(three, name, sentence):
    with pytest.raises(UserError) as caught:
        promote(name)
    assert sentence in str(caught.value)


def test_rollback_takes_a_bare_name_and_a_version_before(three):
    with pytest.raises(UserError) as caught:
        rollback("intent:1")
    assert str(caught.value) == (
        "'intent:1': rollback goes to the version before, and takes the name alone, intent; another version is made "
        "production by `burnish promote`."
    )
    promote("intent:1")
    with pytest.raises(UserError, match="intent: there is no version before production to go back to"):
        rollback("intent")
    with pytest.raises(NotFound, match="there is no release of the name 'intnt'"):
        rollback("intnt")
