"""Every watch: built from a rulebook, quiet where nothing has changed, raised by the change that it is there for."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.monitoring.made import NOON, counted, drawn, past, reference, window

from burnish.core.shelves import Shelf
from burnish.monitoring.watches._contract import Finding, Watch
from burnish.monitoring.window import Window

NAMES = Shelf("watches").names()
DAYS = [int(n) for n in np.random.default_rng(5).poisson(400, size=168)]
LABELS = [{"退款": int(n), "complaint": int(m)} for n, m in np.random.default_rng(6).poisson([30, 4], size=(168, 2))]


def answered(n=400, seed=3, **turned):
    return window(drawn(n, seed, **turned))


def with_times(predictions):
    """A past of hours in which answers took as long as in the reference."""
    return [
        replace(one, answers=window(predictions[n * 50 : n * 50 + 50]).answers) for n, one in enumerate(past([50] * 8))
    ]


QUIET = answered()
CHANGED = {
    "abstentions": answered(unsure=0.2),
    "confidence": answered(sharpness=0.5),
    "drift": answered(labels=(0.1, 0.1, 0.1, 0.1, 0.6)),
    "errors": window(drawn(400, 3), n_errors=20),
    "input_length": answered(longer=1.5),
    "label_mix": answered(labels=(0.15, 0.45, 0.2, 0.15, 0.05)),
    "language": answered(cjk=0.6),
    "latency": window(replace(one, ms=4 * one.ms) for one in drawn(400, 3)),
    "privacy_hits": answered(private=0.08),
    "quality": window(drawn(400, 3), n_judged=100, n_wrong=30),
    "spike": counted({"退款": 31, "complaint": 25}, n_rows=400),
    "unknown_tokens": answered(unknown=0.05),
    "volume": window(drawn(1100, 3)),
}
STEADY = {
    "quality": window(drawn(400, 3), n_judged=100, n_wrong=11),
    "spike": counted({"退款": 31, "complaint": 5}, n_rows=400),
}
HISTORY = {"latency": with_times(drawn(400, 8)), "spike": past(LABELS), "volume": past(DAYS)}


@pytest.fixture(scope="module")
def usual():
    return reference()


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def looked(name, at, usual):
    return Shelf("watches").get(name)().look(at, usual, HISTORY.get(name, []))


def test_it_is_built_from_a_rulebook_and_written_back(name):
    watch = Shelf("watches").build(name)
    assert isinstance(watch, Watch)
    assert Shelf("watches").build(json.loads(json.dumps(watch.as_recipe()))) == watch


def test_it_is_quiet_where_nothing_has_changed(name, usual):
    found = looked(name, STEADY.get(name, QUIET), usual)
    assert isinstance(found, Finding)
    assert found.is_raised is False
    assert found.p_value > 0.01


def test_it_is_raised_by_the_change_that_it_is_there_for(name, usual):
    found = looked(name, CHANGED[name], usual)
    assert found.is_raised is True
    assert found.p_value < 0.01
    assert abs(found.value) >= abs(found.threshold)


def test_with_too_little_to_look_at_it_says_nothing(name, usual):
    assert Shelf("watches").get(name)().look(window(drawn(4)), usual, []) is None
    assert Shelf("watches").get(name)().look(window(), None, []) is None


def test_without_a_reference_it_says_nothing_or_needs_none(name):
    found = looked(name, CHANGED[name], None)
    assert (found is None) is (name not in {"errors", "latency", "spike", "volume"})


def test_a_finding_is_plain_numbers_and_a_sentence(name, usual):
    found = looked(name, CHANGED[name], usual)
    assert [type(one) in (int, float) for one in (found.value, found.threshold, found.p_value)] == [True] * 3
    assert json.loads(json.dumps(found.numbers)) == found.numbers
    assert found.sentence[-1] == "."
    assert any(letter.isdigit() for letter in found.sentence)
    assert "nan" not in found.sentence


def test_what_is_found_is_the_same_each_time(name, usual):
    assert looked(name, CHANGED[name], usual) == looked(name, CHANGED[name], usual)


def test_a_window_read_back_from_json_is_looked_at_alike(name, usual):
    again = Window.of_dict(json.loads(json.dumps(CHANGED[name].to_dict())))
    assert again.start == NOON
    first, second = looked(name, CHANGED[name], usual), looked(name, again, usual)
    assert second.value == pytest.approx(first.value, rel=1e-4)
    assert second.is_raised is first.is_raised


def test_every_watch_has_a_change_that_it_is_tested_with():
    assert set(CHANGED) == set(NAMES)
