"""Several watches over one window: what holds for one alone need not hold among all."""

from collections.abc import Sequence

import pytest
from tests.monitoring.made import LABELS, SHARES, drawn, past, reference, window

from burnish.monitoring.looking import look
from burnish.monitoring.reference import Reference
from burnish.monitoring.rules import Rule, Rulebook
from burnish.monitoring.watches._contract import Finding, Watch
from burnish.monitoring.window import Window


class Says(Watch):
    """A watch that finds what it is told."""

    p_value: float | None = 0.5
    is_raised: bool = True

    def look(self, window: Window, reference: Reference | None, history: Sequence[Window]) -> Finding | None:
        return Finding(len(history), 0.0, self.p_value, self.is_raised, "Said.", {})


class Stated(Says):
    """One that states a rate of its own."""

    has_own_rate = True


def book(*watches, **fields):
    rules = tuple(Rule(watch=watch, name=f"{number}") for number, watch in enumerate(watches))
    return Rulebook(rules=rules, **fields)


def raised(rulebook):
    return [name for name, one in look(rulebook, window(), None, []).items() if one.is_raised]


def test_a_p_value_that_is_small_alone_is_not_among_many():
    """0.04 of one watch; of ten it is 0.04 · 10 / 1 = 0.4."""
    assert raised(book(Says(p_value=0.04))) == ["0"]
    assert raised(book(Says(p_value=0.04), *[Says(p_value=0.9, is_raised=False)] * 9)) == []
    assert raised(book(Says(p_value=0.004), *[Says(p_value=0.9, is_raised=False)] * 9)) == ["0"]


def test_a_watch_that_is_quiet_stays_quiet_however_small_its_p_value():
    assert raised(book(Says(p_value=1e-9, is_raised=False))) == []


def test_fewer_false_alarms_can_be_asked_for():
    assert raised(book(Says(p_value=0.02), false_alarm_rate=0.01)) == []


def test_what_states_its_own_rate_is_neither_corrected_nor_counted():
    many = [Stated(p_value=0.9, is_raised=True)] * 9
    assert raised(book(Says(p_value=0.04), *many)) == [str(n) for n in range(10)]


def test_what_was_not_tested_is_left_as_it_is():
    assert raised(book(Says(p_value=None), Says(p_value=0.04))) == ["0", "1"]


def test_every_rule_is_told_even_where_there_is_too_little_to_look_at():
    found = look(Rulebook.default(), window(drawn(3)), None, past([3] * 5))
    assert set(found) == {rule.name for rule in Rulebook.default().rules}
    assert set(found.values()) == {None}


@pytest.mark.parametrize("seed", range(3))
def test_the_default_rules_are_quiet_about_a_quiet_window(seed):
    before = [
        {label: round(n * share) for label, share in zip(LABELS, SHARES, strict=True)} for n in (300, 310, 290) * 10
    ]
    found = look(Rulebook.default(), window(drawn(300, 10 + seed)), reference(500), past(before))
    assert [name for name, one in found.items() if one and one.is_raised] == []
