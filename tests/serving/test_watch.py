"""Failed requests reach monitoring, and what monitoring measured reaches the metrics."""

import time

import pytest
from tests.store.conftest import release as record

from burnish.core.settings import Settings
from burnish.flows.monitor import window_of
from burnish.serving.metrics import Metrics
from burnish.serving.watch import Watch
from burnish.store.faults import StoreUnavailable
from burnish.store.home import open_home
from burnish.store.states import put_state


@pytest.fixture
def home(tmp_path):
    opened = open_home(Settings(home=str(tmp_path), secret="0123456789abcdef" * 2))
    opened.releases.register(record())
    yield opened
    opened.close()


def errors_in(home):
    now = time.time()
    return window_of(home, "intent", now - 7200, now + 3600).n_errors


def test_failed_requests_are_counted_in_the_window_that_they_fell_into(home):
    watch = Watch(home, Metrics(), list)
    for _ in range(3):
        watch.count_error("intent")
    watch.exchange()
    watch.exchange()  # what was told once is not told again
    assert errors_in(home) == 3


def test_errors_wait_while_the_database_is_away(home, monkeypatch):
    watch = Watch(home, Metrics(), list)
    watch.count_error("intent")

    def away(*args):
        raise StoreUnavailable("the database does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr("burnish.serving.watch.add_errors", away)
        with pytest.raises(StoreUnavailable, match="the database does not answer"):
            watch.exchange()
    watch.exchange()
    assert errors_in(home) == 1


def test_what_watches_measured_last_is_among_the_metrics(home):
    with home.store.writing() as connection:
        put_state(connection, "findings intent", {"label_mix": 0.25})
    metrics = Metrics()
    Watch(home, metrics, lambda: ["intent"]).exchange()
    assert b'burnish_drift{name="intent",watch="label_mix"} 0.25' in metrics.text()
