import json

import pytest
from tests.monitoring.made import HOUR, NOON

from burnish.monitoring.alerting import State, step
from burnish.monitoring.rules import Rulebook
from burnish.monitoring.watches._contract import Finding

LOUD = Finding(0.4, 0.1, 0.001, True, "Far away.", {"vectors": 400})
QUIET = Finding(0.0, 0.1, 0.7, False, "Near.", {"vectors": 400})


def book(**fields):
    return Rulebook.of({"rules": [{"watch": "drift", "silence_s": 0, **fields}]})


def told(rulebook, findings, *, name="drift", state=None, start=NOON):
    """What happens window by window: the states of the alerts given, and the last state of the machine."""
    state, happened = state or State(name="support"), []
    for number, finding in enumerate(findings):
        state = State.model_validate_json(state.model_dump_json())  # as after a restart
        state, alerts = step(rulebook, state, {name: finding}, start + number * HOUR)
        happened.append([one.state for one in alerts])
    return happened, state


def test_an_alert_says_what_was_found_by_whom_and_when():
    state, (found,) = step(book(severity="critical", name="far off"), State(name="support"), {"far off": LOUD}, NOON)
    assert (found.at, found.name, found.watch, found.severity, found.state) == (
        NOON,
        "support",
        "drift",
        "critical",
        "open",
    )
    assert found.sentence == "Far away."
    assert found.numbers == {"rule": "far off", "value": 0.4, "threshold": 0.1, "p_value": 0.001, "vectors": 400}
    assert state.rules["far off"].alert == found


def test_an_alert_is_given_once_and_resolves_itself():
    happened, _ = told(book(), [QUIET, LOUD, LOUD, LOUD, QUIET, QUIET])
    assert happened == [[], ["open"], [], [], ["resolved"], []]


def test_a_streak_is_windows_in_a_row_to_begin_and_to_end():
    happened, _ = told(book(streak=2), [LOUD, QUIET, LOUD, LOUD, QUIET, LOUD, QUIET, QUIET])
    assert happened == [[], [], [], ["open"], [], [], [], ["resolved"]]


def test_a_window_with_too_little_data_neither_goes_on_nor_ends_a_streak():
    happened, _ = told(book(streak=2), [LOUD, None, LOUD, QUIET, None, QUIET])
    assert happened == [[], [], ["open"], [], [], ["resolved"]]


def test_after_an_alert_the_rule_is_silent_for_a_while():
    happened, _ = told(book(silence_s=3 * HOUR), [LOUD, QUIET, LOUD, QUIET, LOUD])
    assert happened == [["open"], ["resolved"], [], [], ["open"]]


def test_what_is_still_raised_when_the_silence_ends_is_told():
    happened, _ = told(book(silence_s=3 * HOUR), [LOUD, QUIET, LOUD, LOUD])
    assert happened == [["open"], ["resolved"], [], ["open"]]


def test_a_clock_set_back_does_not_prolong_the_silence():
    _, state = told(book(silence_s=3 * HOUR), [LOUD, QUIET])
    happened, _ = told(book(silence_s=3 * HOUR), [LOUD], state=state, start=NOON - 999 * HOUR)
    assert happened == [["open"]]


def test_a_resolved_alert_keeps_its_id_and_says_who_and_when():
    state, (first,) = step(book(), State(name="support"), {"drift": LOUD}, NOON)
    _, (last,) = step(book(), state, {"drift": QUIET}, NOON + HOUR)
    assert (last.id, last.at, last.state, last.by, last.changed_at) == (
        first.id,
        NOON,
        "resolved",
        "burnish",
        NOON + HOUR,
    )


def test_the_same_window_taken_in_twice_changes_nothing():
    state, _ = step(book(streak=2), State(name="support"), {"drift": LOUD}, NOON)
    assert step(book(streak=2), state, {"drift": LOUD}, NOON) == (state, [])


def test_a_step_done_again_because_its_state_was_lost_gives_the_same_alert():
    before = State(name="support")
    first, second = (step(book(), before, {"drift": LOUD}, NOON)[1] for _ in range(2))
    assert first == second


@pytest.mark.parametrize("other", [{"at": NOON + 1}, {"model": "other"}, {"rule": "second"}])
def test_alerts_of_other_windows_models_and_rules_have_other_ids(other):
    given = {"at": NOON, "model": "support", "rule": "drift"}
    ids = set()
    for one in (given, {**given, **other}):
        _, (alert,) = step(book(name=one["rule"]), State(name=one["model"]), {one["rule"]: LOUD}, one["at"])
        ids.add(alert.id)
    assert len(ids) == 2


def test_a_rule_that_is_gone_leaves_no_alert_open():
    _, state = told(book(), [LOUD])
    after, (alert,) = step(Rulebook.of({"rules": ["errors"]}), state, {}, NOON + HOUR)
    assert alert.state == "resolved"
    assert set(after.rules) == {"errors"}


def test_rules_do_not_disturb_each_other():
    both = Rulebook.of({"rules": [{"watch": "drift"}, {"watch": "errors", "streak": 2}]})
    state, alerts = step(both, State(name="support"), {"drift": LOUD, "errors": LOUD}, NOON)
    assert [one.watch for one in alerts] == ["drift"]
    _, alerts = step(both, state, {"drift": LOUD, "errors": LOUD}, NOON + HOUR)
    assert [one.watch for one in alerts] == ["errors"]


def test_the_state_is_json():
    _, state = told(book(), [LOUD, LOUD])
    written = json.loads(json.dumps(state.model_dump(mode="json")))
    assert State.model_validate(written) == state
    assert state.rules["drift"].n_raised == 2
