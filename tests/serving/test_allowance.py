"""Rates and quotas: by the clock, by the day, and shared by workers."""

import pytest

from burnish.serving import allowance
from burnish.serving.allowance import DAY_S, Allowance
from burnish.serving.problems import Problem
from burnish.store.records import Key


class Clock:
    """Both clocks, moved by hand."""

    def __init__(self):
        self.now, self.wall = 1000.0, 20_000 * DAY_S + 80_000

    def monotonic(self):
        return self.now

    def time(self):
        return self.wall


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(allowance, "time", clock)
    return clock


def key(**limits):
    return Key("k1", "", "ann", ("predict",), 0.0, **limits)


def none_before():
    return 0


def refused(allowance, n):
    with pytest.raises(Problem) as caught:
        allowance.spend(n)
    return caught.value


def test_a_minutes_worth_may_come_at_once_and_then_fills_up_again(clock):
    mine = Allowance(key(per_minute=60), none_before)
    mine.spend(60)
    problem = refused(mine, 1)
    assert problem.status == 429
    assert problem.detail == "this key may ask 60 inputs a minute; they are used up."
    assert 1 <= int(problem.headers["Retry-After"]) <= 3  # one second, and jitter of up to one and a half
    clock.now += 10
    mine.spend(10)
    assert refused(mine, 1).status == 429


def test_what_was_refused_was_not_counted(clock):
    mine = Allowance(key(per_minute=60, per_day=1000), none_before)
    mine.spend(50)
    for _ in range(5):
        refused(mine, 11)
    mine.spend(10)


def test_a_bucket_never_holds_more_than_a_minute(clock):
    mine = Allowance(key(per_minute=60), none_before)
    mine.spend(1)
    clock.now += 3600
    mine.spend(60)
    refused(mine, 1)


def test_a_clock_that_stands_still_or_jumps_back_fills_nothing(clock):
    mine = Allowance(key(per_minute=60), none_before)
    mine.spend(60)
    clock.now -= 500
    assert refused(mine, 1).status == 429


def test_a_quota_counts_what_was_asked_before_this_server_started_and_ends_with_the_day(clock):
    mine = Allowance(key(per_day=100), lambda: 95)
    mine.spend(5)
    problem = refused(mine, 1)
    assert problem.detail == "this key may ask 100 inputs a day; they are used up."
    assert 6400 <= int(problem.headers["Retry-After"]) <= 6411  # the day ends 6,400 s later
    clock.wall += 6400
    mine.spend(100)


@pytest.mark.parametrize(("limit", "word"), [("per_minute", "minute"), ("per_day", "day")])
def test_more_at_once_than_could_ever_be_allowed_is_another_fault(clock, limit, word):
    problem = refused(Allowance(key(**{limit: 10}), none_before), 11)
    assert problem.status == 422
    assert problem.detail == f"one call has 11 inputs, and this key may ask 10 a {word}; ask for fewer."


def test_what_the_server_could_not_answer_is_given_back(clock):
    mine = Allowance(key(per_minute=10, per_day=10), none_before)
    mine.spend(10)
    mine.give_back(4)
    mine.spend(4)
    refused(mine, 1)


def test_workers_share_what_a_key_may_ask(clock, tmp_path):
    here, there = (Allowance(key(per_minute=60, per_day=100), lambda: 20, tmp_path) for _ in range(2))
    here.spend(40)
    assert refused(there, 21).status == 429
    there.spend(20)
    clock.now += 60
    assert refused(here, 21).detail == "this key may ask 100 inputs a day; they are used up."
    here.spend(20)
