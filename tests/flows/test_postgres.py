"""Verbs on PostgreSQL, which keeps to lengths and kinds where SQLite takes whatever comes."""

import time

import pytest
from tests.flows.conftest import at_home
from tests.store.conftest import cluster as cluster  # a fixture
from tests.store.conftest import prediction

from burnish.core.settings import settings
from burnish.evaluation.promotion import Policy
from burnish.flows.canary import Trial, begin, decide_on
from burnish.flows.failures import add_errors
from burnish.flows.monitor import look, newest_findings, window_of
from burnish.flows.promote import promote
from burnish.flows.release import release
from burnish.flows.rowplaces import known_places
from burnish.flows.traffic import Traffic, set_traffic, traffic_now
from burnish.store.home import open_home

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("steady")]
LONGEST = "a" * 64
WHO = f"key {'k' * 28} ({'主' * 255})"
"""The longest that a server says of a caller: an issuer's subject has up to 255 characters."""
HOUR_S = 3_600
START = 480_000 * HOUR_S


@pytest.fixture
def home(cluster, tmp_path, monkeypatch):
    at_home(monkeypatch, tmp_path / "home", database=cluster.create("flows"))
    opened = open_home()
    yield opened
    opened.close()
    settings.cache_clear()


def test_a_name_may_have_64_characters_wherever_it_goes(home, moods, monkeypatch):
    monkeypatch.setenv("LOGNAME", "n" * 250)
    for _ in range(2):
        made = release(moods / "bundle", LONGEST)
    promote(f"{LONGEST}:1")
    assert made.release.version == 2
    assert known_places(home, made.release).keys() == {"train", "dev"}

    set_traffic(home, LONGEST, Traffic(shadow=2), WHO)
    begin(home, LONGEST, Trial(version=2, against=1, inputs=200, since=time.time(), policy=Policy()), 5.0, WHO)
    assert traffic_now(home, LONGEST) == Traffic(canary=2, percent=5.0, shadow=2)
    assert decide_on(home, LONGEST, WHO).state == "waiting"

    home.predictions.add([prediction(f"p_{number}", at=START + number, name=LONGEST) for number in range(60)])
    add_errors(home, {(LONGEST, START // 60): 40, (f"{LONGEST}:2", START // 60): 2})
    look(home, LONGEST, WHO, now=START + HOUR_S + 5)
    assert newest_findings(home, LONGEST)["errors"] > 0.1
    assert window_of(home, LONGEST, START, START + HOUR_S).n_errors == 40
    [alert, *_] = home.alerts.all(LONGEST)
    home.alerts.change(alert.id, "acknowledged", WHO)
    assert [one.by for one in home.alerts.all(LONGEST) if one.id == alert.id] == [WHO]
