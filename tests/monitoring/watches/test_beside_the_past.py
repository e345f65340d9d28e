"""Watches that hold a window against earlier ones, or against a limit."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from tests.monitoring.made import HOUR, NOON, counted, past, prediction, window

from burnish.monitoring.watches.errors import Errors
from burnish.monitoring.watches.latency import Latency
from burnish.monitoring.watches.spike import Spike
from burnish.monitoring.watches.volume import Volume

STEADY = [100, 90, 110, 95, 105] * 6


def inputs(n):
    return counted({}, n_rows=n)


def test_volume_is_raised_by_many_and_by_few_and_by_none():
    history = past(STEADY)
    for n, value in ((100, 1.0), (250, 2.5), (40, 2.5), (0, 200.0)):
        found = Volume().look(inputs(n), None, history)
        assert found.value == pytest.approx(value)
        assert found.is_raised is (n != 100)
        assert found.numbers["usual"] == pytest.approx(100)


@pytest.mark.parametrize(
    ("n", "sentence"),
    [
        (250, "250 inputs came, 2.5 times what is usual for this hour (100 inputs; p < 0.0001)."),
        (40, "40 inputs came, 40 % of what is usual for this hour (100 inputs; p < 0.0001)."),
        (0, "No input came, where some are usual for this hour (100 inputs; p < 0.0001)."),
        (1, "1 input came, 1 % of what is usual for this hour (100 inputs; p < 0.0001)."),
    ],
)
def test_volume_says_it_in_words(n, sentence):
    assert Volume().look(inputs(n), None, past(STEADY)).sentence == sentence


def test_volume_has_a_factor_and_a_least_past():
    assert not Volume(factor=3).look(inputs(250), None, past(STEADY)).is_raised
    assert Volume(least_history=31).look(inputs(250), None, past(STEADY)) is None
    assert Volume().look(inputs(9), None, past([2] * 30)) is None  # of two inputs an hour none is not unusual


def test_volume_knows_the_hours_of_the_day():
    nights = [300 if hour >= 12 else 20 for hour in range(24)] * 4
    quiet = inputs(21)  # noon is the first hour of the pattern: a quiet one
    assert not Volume().look(quiet, None, past(nights)).is_raised
    assert Volume().look(inputs(100), None, past(nights)).is_raised
    assert not Volume(rhythm_hours=0).look(inputs(100), None, past(nights)).is_raised


def test_volume_that_always_varies_is_not_raised_by_varying():
    draw = np.random.default_rng(0)
    history = past([int(n) for n in draw.poisson(draw.gamma(1.0, 100.0, size=200))])
    assert not Volume().look(inputs(280), None, history).is_raised
    assert Volume().look(inputs(280), None, past(STEADY)).is_raised


def times(*ms, n_each=1):
    return [prediction(n, ms=one) for n, one in enumerate(ms * n_each)]


def lasting(n, ms):
    """Windows of 50 answers each, all as slow."""
    return [window(times(ms, n_each=50), start=NOON - (n - k) * HOUR) for k in range(n)]


def test_latency_is_held_against_the_past():
    slow = window(times(10, 10, 10, 50, n_each=50))
    found = Latency().look(slow, None, lasting(6, 10.0))
    assert found.is_raised
    assert found.value == pytest.approx(50, rel=0.05)
    assert found.p_value == pytest.approx(stats.fisher_exact([[50, 150], [0, 300]], alternative="greater").pvalue)
    assert found.sentence.startswith("99 % of 200 answers came within 5")
    assert "; 10 ms are usual (p < 0.0001)." in found.sentence


@pytest.mark.parametrize(
    ("settings", "is_raised"),
    [({"factor": 6}, False), ({"quantile": 0.5}, False), ({"limit_ms": 40}, True), ({"limit_ms": 60}, False)],
)
def test_latency_takes_its_limit_from_its_settings(settings, is_raised):
    slow = window(times(10, 10, 10, 50, n_each=50))
    assert Latency(**settings).look(slow, None, lasting(6, 10.0)).is_raised is is_raised


def test_latency_beside_a_limit_needs_no_past():
    slow = window([*times(10, n_each=190), *times(50, n_each=10)])
    found = Latency(limit_ms=30, quantile=0.9).look(slow, None, [])
    assert found.p_value == pytest.approx(stats.binom.sf(9, 200, 0.1))
    assert "30 ms are allowed" in found.sentence


def test_latency_of_few_answers_is_not_looked_at():
    slow = window(times(50, n_each=120))
    assert Latency().look(slow, None, lasting(6, 10.0)) is not None
    assert Latency(least=121).look(slow, None, lasting(6, 10.0)) is None
    assert Latency().look(slow, None, [window(times(10, n_each=49))]) is None


def test_errors_are_held_against_what_is_allowed():
    given = replace(window(times(1, n_each=95)), n_errors=5)
    found = Errors().look(given, None, [])
    assert (found.value, found.threshold) == (0.05, 0.01)
    assert found.p_value == pytest.approx(stats.binom.sf(4, 100, 0.01))
    assert found.sentence == "5 of 100 requests failed (5.0 %); 1.0 % are allowed (p = 0.0034)."
    assert found.is_raised
    assert not Errors(most=0.05).look(given, None, []).is_raised
    assert Errors(least=101).look(given, None, []) is None


def test_where_nothing_may_fail_one_error_is_one_too_many():
    given = replace(window(times(1, n_each=99)), n_errors=1)
    assert Errors(most=0).look(given, None, []).is_raised


BUSY = [{"bad news": 2, "good news": 40}] * 48


def test_a_burst_is_raised_and_named():
    found = Spike().look(counted({"bad news": 15, "good news": 41}), None, past(BUSY))
    assert found.is_raised
    assert found.value == 15
    assert list(found.numbers["labels"]) == ["bad news"]
    n, expected, limit = found.numbers["labels"]["bad news"]
    assert (n, expected) == (15, 2.0)
    assert found.sentence == (
        f"'bad news' came 15 times where 2.0 were to be expected; from {limit} on it is a burst "
        "(0.1 false alarms a day allowed)."
    )


def test_the_limit_of_a_burst_is_the_first_count_that_is_raised():
    limit = Spike().look(counted({"bad news": 15, "good news": 41}), None, past(BUSY)).threshold
    for n in (limit - 1, limit):
        assert Spike().look(counted({"bad news": n, "good news": 41}), None, past(BUSY)).is_raised is (n == limit)


def test_each_label_gets_its_share_of_the_false_alarms_that_are_allowed():
    """0.1 a day over 24 hours and two labels."""
    found = Spike().look(counted({"bad news": 2, "good news": 41}), None, past(BUSY))
    assert found.numbers["allowed_p"] == pytest.approx(0.1 / 24 / 2)
    half = Spike().look(counted({"bad news": 2}, hours=0.5), None, past(BUSY))
    assert half.numbers["allowed_p"] == pytest.approx(0.1 / 48 / 2)


def test_more_false_alarms_allowed_lower_the_limit():
    at = counted({"bad news": 8, "good news": 41})
    strict, loose = (Spike(false_alarms_per_day=rate).look(at, None, past(BUSY)) for rate in (0.001, 5))
    assert strict.threshold > loose.threshold
    assert loose.is_raised
    assert not strict.is_raised


def test_only_the_labels_asked_for_are_watched():
    at = counted({"bad news": 2, "good news": 140})
    assert Spike().look(at, None, past(BUSY)).is_raised
    found = Spike(labels=("bad news",)).look(at, None, past(BUSY))
    assert not found.is_raised
    assert found.numbers["watched_labels"] == 1


def test_a_burst_has_a_least_count_and_a_least_past():
    at = counted({"new": 4, "good news": 41})
    assert not Spike().look(at, None, past(BUSY)).is_raised
    assert Spike(least=4).look(at, None, past(BUSY)).is_raised
    assert Spike(least_history=49).look(at, None, past(BUSY)) is None


def test_a_label_never_seen_before_can_burst_and_several_are_told():
    found = Spike().look(counted({"新话题": 9, "bad news": 30, "good news": 40}), None, past(BUSY))
    assert set(found.numbers["labels"]) == {"新话题", "bad news"}
    assert "'新话题' 9" in found.sentence or "'新话题' came 9" in found.sentence
    assert " Also: " in found.sentence


def test_more_at_an_hour_that_is_always_busy_is_no_burst():
    rhythm = [
        {"bad news": 30 if hour % 24 == 0 else 2, "good news": 300 if hour % 24 == 0 else 20} for hour in range(96)
    ]
    at = counted({"bad news": 31, "good news": 310})
    assert not Spike().look(at, None, past(rhythm)).is_raised
    assert Spike(rhythm_hours=0, false_alarms_per_day=24).look(at, None, past(rhythm)).p_value < 0.1


def test_without_any_label_there_is_nothing_to_watch():
    assert Spike().look(inputs(5), None, past([5] * 30)) is None


@pytest.mark.slow
def test_false_alarms_stay_within_the_stated_rate_on_sixty_days():
    draw = np.random.default_rng(0)
    rate = 8 * (1 + 0.8 * np.sin(2 * np.pi * np.arange(67 * 24) / 24))
    counts = [{"a": int(a), "b": int(b)} for a, b in draw.poisson(draw.gamma(rate[:, None] / 2, 2.0, (67 * 24, 2)))]
    windows = past(counts)
    n_false = sum(
        Spike(false_alarms_per_day=0.5).look(windows[hour], None, windows[hour - 168 : hour]).is_raised
        for hour in range(168, len(windows))
    )
    assert n_false <= 30 + 3 * 30**0.5
