import time

import pytest
from tests.store.conftest import alert

from burnish.core.errors import NotFound, UserError
from burnish.store.alerts import Alerts


@pytest.fixture
def alerts(store, audit):
    return Alerts(store, audit)


def test_alerts_come_back_as_they_were_the_newest_first(alerts):
    made = [alert("a_1", at=1.0), alert("a_2", at=3.0, sentence="太少了。", numbers=None), alert("a_3", at=2.0)]
    alerts.add(made)
    assert alerts.all() == [made[1], made[2], made[0]]


def test_the_same_alert_again_counts_once_and_changes_nothing(alerts):
    alerts.add([alert()])
    alerts.change("a_1", "acknowledged", "ann")
    alerts.add([alert(), alert("a_2")])
    assert {one.id: one.state for one in alerts.all()} == {"a_1": "acknowledged", "a_2": "open"}
    alerts.add([])


def test_alerts_of_one_name_in_some_states_or_since_a_time(alerts):
    alerts.add([alert("a_1", at=1.0), alert("a_2", at=2.0, name="ticket"), alert("a_3", at=3.0, state="resolved")])
    assert [one.id for one in alerts.all("intent")] == ["a_3", "a_1"]
    assert [one.id for one in alerts.all(states=["open", "acknowledged"])] == ["a_2", "a_1"]
    assert [one.id for one in alerts.all(since=2.0)] == ["a_3", "a_2"]
    assert alerts.all("nobody") == []


@pytest.mark.parametrize("state", ["acknowledged", "resolved"])
def test_who_took_care_of_an_alert_is_kept(alerts, audit, state):
    alerts.add([alert()])
    alerts.change("a_1", state, "user 安")
    [found] = alerts.all()
    assert (found.state, found.by) == (state, "user 安")
    assert found.changed_at == pytest.approx(time.time(), abs=60)
    [line] = audit.entries()
    assert (line.who, line.what, line.about) == ("user 安", f"alert {state}", "a_1")


def test_an_alert_that_there_is_not_is_told(alerts, audit):
    with pytest.raises(NotFound, match=r"^there is no alert 'a_9'; `burnish alerts` lists them\.$"):
        alerts.change("a_9", "resolved", "ann")
    assert list(audit.entries()) == []


def test_what_is_resolved_stays_so_and_by_whom(alerts, audit):
    alerts.add([alert()])
    alerts.change("a_1", "resolved", "ann")
    alerts.change("a_1", "resolved", "burnish")
    told = r"^the alert 'a_1' was resolved by ann; a new one comes when its watch fires again\.$"
    with pytest.raises(UserError, match=told):
        alerts.change("a_1", "acknowledged", "bob")
    assert [(one.state, one.by) for one in alerts.all()] == [("resolved", "ann")]
    assert len(list(audit.entries())) == 1
