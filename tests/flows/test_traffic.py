"""How a name's requests are shared out."""

import pytest
from tests.store.conftest import release

from burnish.core.errors import GateMissed, NotFound, UserError
from burnish.flows.traffic import Traffic, set_traffic, traffic_now


@pytest.fixture
def three(new_home):
    """Three versions, of which the first is in production and the second missed its gate."""
    for is_passed in (True, False, True):
        new_home.releases.register(release(is_passed=is_passed))
    new_home.releases.promote("intent", 1, "user ann")
    return new_home


def test_without_anything_set_production_answers_all(three):
    assert traffic_now(three, "intent") == Traffic(canary=None, percent=0, shadow=None, shadow_percent=100)


def test_what_was_set_is_read_back_and_audited(three):
    wanted = Traffic(canary=3, percent=12.5, shadow=2, shadow_percent=50)
    set_traffic(three, "intent", wanted, "user ann")
    assert traffic_now(three, "intent") == traffic_now(three, "intent@candidate") == wanted
    last = list(three.audit.entries())[-1]
    assert (last.who, last.what, last.about, last.detail) == ("user ann", "traffic", "intent", wanted.model_dump())
    set_traffic(three, "intent", Traffic(), "user ann")
    assert traffic_now(three, "intent") == Traffic()


def test_a_version_that_missed_its_gate_may_be_a_shadow_and_no_canary(three):
    with pytest.raises(GateMissed, match="intent:2 missed its gate and answers nobody; a shadow may be asked what"):
        set_traffic(three, "intent", Traffic(canary=2, percent=5), "user ann")
    set_traffic(three, "intent", Traffic(shadow=2), "user ann")
    assert traffic_now(three, "intent").shadow == 2


@pytest.mark.parametrize("traffic", [Traffic(canary=1, percent=5), Traffic(shadow=1)])
def test_production_is_no_canary_and_no_shadow_of_itself(three, traffic):
    with pytest.raises(UserError, match=r"^intent:1 is in production: it answers already; name another version\.$"):
        set_traffic(three, "intent", traffic, "user ann")
    assert traffic_now(three, "intent") == Traffic()


def test_a_shadow_that_came_into_production_does_not_stand_in_the_way(three):
    set_traffic(three, "intent", Traffic(shadow=3), "user ann")
    three.releases.promote("intent", 3, "user ann")
    set_traffic(three, "intent", Traffic(shadow=3, canary=1, percent=5), "user ann")
    assert traffic_now(three, "intent").canary == 1


@pytest.mark.parametrize("traffic", [Traffic(canary=9, percent=5), Traffic(shadow=9)])
def test_a_version_that_is_not_there_is_told(three, traffic):
    with pytest.raises(NotFound, match="intent: there is no version 9"):
        set_traffic(three, "intent", traffic, "user ann")


def test_a_name_that_is_not_there_is_told(three):
    for asked in (lambda: traffic_now(three, "intnt"), lambda: set_traffic(three, "intnt", Traffic(), "user ann")):
        with pytest.raises(NotFound, match="Did you mean 'intent'"):
            asked()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"canary": 3}, "a canary has a version and a percent above 0; got one without the other"),
        ({"percent": 5}, "a canary has a version and a percent above 0; got one without the other"),
        ({"canary": 3, "percent": 101}, "less than or equal to 100"),
        ({"canary": 3, "percent": float("nan")}, "less than or equal to 100"),
        ({"shadow": 3, "shadow_percent": 0}, "greater than 0"),
        ({"canari": 3}, "Extra inputs"),
    ],
)
def test_shares_that_cannot_be_are_refused(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        Traffic(**fields)
