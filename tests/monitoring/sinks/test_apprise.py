"""Alerts through apprise, which is the real library with the network taken out."""

import logging

import pytest
from tests.monitoring.made import NOON, alert

from burnish.core.errors import UserError
from burnish.monitoring.sinks._contract import NotDelivered
from burnish.monitoring.sinks.apprise import Apprise

apprise = pytest.importorskip("apprise")
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # imported by apprise
URLS = "dingtalk://abcdefgh json://alerts.example"


@pytest.fixture
def sent(monkeypatch):
    monkeypatch.setenv("BURNISH_ALERT_URLS", URLS)
    found = []

    def notify(self, **given):
        found.append((len(self), given))
        return True

    monkeypatch.setattr(apprise.Apprise, "notify", notify)
    return found


def test_an_alert_is_told_to_every_url(sent):
    Apprise().send(alert(severity="critical", sentence="远了。"))
    n_urls, given = sent[0]
    assert n_urls == 2
    assert given == {
        "title": "[critical] support: drift",
        "body": "远了。\nFound at 2025-11-25 12:00:00 UTC.",
        "notify_type": "failure",
    }


@pytest.mark.parametrize(
    ("fields", "kind", "title"),
    [
        ({}, "warning", "[warning] support: drift"),
        ({"numbers": {"rule": "坏消息"}}, "warning", "[warning] support: 坏消息"),
        ({"numbers": None, "watch": "spike"}, "warning", "[warning] support: spike"),
        ({"state": "resolved", "changed_at": NOON}, "success", "[warning] support: drift (resolved)"),
    ],
)
def test_how_loud_it_is_and_what_it_is_called(fields, kind, title, sent):
    Apprise().send(alert(**fields))
    assert (sent[0][1]["notify_type"], sent[0][1]["title"]) == (kind, title)


def test_who_acknowledged_it_and_when_is_told(sent):
    Apprise().send(alert(state="acknowledged", by="li.wei", changed_at=NOON + 60))
    assert sent[0][1]["body"].endswith("\nAcknowledged by li.wei at 2025-11-25 12:01:00 UTC.")


def test_a_tag_is_put_before_the_title(sent):
    Apprise(tag="[北京]").send(alert())
    assert sent[0][1]["title"] == "[北京] [warning] support: drift"


def test_the_urls_may_be_in_another_variable(sent, monkeypatch):
    monkeypatch.setenv("OTHER", "json://a.example")
    Apprise(urls_env="OTHER").send(alert())
    assert sent[0][0] == 1


def test_without_urls_it_says_which_variable_is_missing(sent, monkeypatch):
    monkeypatch.delenv("BURNISH_ALERT_URLS")
    with pytest.raises(
        UserError, match=r"BURNISH_ALERT_URLS is not set; it must hold one URL or more as apprise writes them"
    ):
        Apprise().send(alert())


def test_a_url_it_does_not_know_is_told_by_its_number_as_it_may_hold_a_password(sent, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("BURNISH_ALERT_URLS", "json://a.example carrier-pigeon://user:secret@host")
    with pytest.raises(UserError, match=r"BURNISH_ALERT_URLS: URL 2 of 2 has no form that apprise knows") as caught:
        Apprise().send(alert())
    assert "secret" not in str(caught.value) + caplog.text


def test_what_did_not_reach_everybody_is_not_delivered(sent, monkeypatch):
    monkeypatch.setattr(apprise.Apprise, "notify", lambda self, **_: False)
    with pytest.raises(
        NotDelivered, match="the alert alert_1 was not delivered: apprise could not reach all 2 of its URLs"
    ):
        Apprise().send(alert())
