import threading
import time
from contextlib import suppress

import pytest
from tests.store.conftest import feedback, prediction
from tests.store.forked import in_processes

from burnish.core.errors import NotFound, UserError
from burnish.store.corrections import DAY_S, Corrections, OtherBody, Token
from burnish.store.faults import StoreUnavailable
from burnish.store.predictions import Predictions
from burnish.store.rows import insert_new
from burnish.store.store import open_store


@pytest.fixture
def predictions(store, audit):
    return Predictions(store, audit)


@pytest.fixture
def corrections(store, audit, predictions):
    """With an answer that can be corrected."""
    predictions.add([prediction("p_1")])
    return Corrections(store, audit)


def kept(corrections, **asked):
    return list(corrections.of_period("intent", **asked))


def test_feedback_comes_back_as_it_was(corrections):
    made = [
        feedback("f_1", kind="spans", value=[[0, 2, "人名"]], comment="看 \U0001f600"),
        feedback("f_2", kind="accepted", value=True, state="quarantined", reason="too many", used_in=4),
        feedback("f_3", kind="score", value=0.1 + 0.2),
    ]
    assert corrections.add(made, None, "thanks") == "thanks"
    assert kept(corrections) == made
    corrections.add([], None, "")
    assert kept(corrections) == made


def test_feedback_of_a_period_and_of_some_states_comes_oldest_first(corrections):
    corrections.add([feedback(f"f_{at}", at=float(at)) for at in (3, 1, 2)], None, "")
    corrections.add([feedback("f_q", at=2.0, state="quarantined"), feedback("f_o", name="other")], None, "")
    assert [one.id for one in kept(corrections)] == ["f_1", "f_2", "f_q", "f_3"]
    assert [one.id for one in corrections.of_period("intent", 2.0, 3.0)] == ["f_2", "f_q"]
    assert [one.id for one in kept(corrections, states=["quarantined", "rejected"])] == ["f_q"]
    half = corrections.of_period("intent")
    next(half)
    half.close()


def test_feedback_that_may_have_been_written_can_be_sent_again_without_a_token(corrections):
    corrections.add([feedback()], None, "")
    corrections.add([feedback(value="other"), feedback("f_2")], None, "")
    assert [(one.id, one.value) for one in kept(corrections)] == [("f_1", "投诉"), ("f_2", "投诉")]


def test_a_request_that_is_sent_again_gets_the_answer_of_the_first_time(corrections, store, url):
    token = Token("k1", "once", "body")
    assert corrections.known_answer(token) is None
    assert corrections.add([feedback("f_1")], token, '{"id":"f_1"}') == '{"id":"f_1"}'
    assert corrections.add([feedback("f_2")], token, '{"id":"f_2"}') == '{"id":"f_1"}'
    store.close()
    again = Corrections(open_store(url), corrections.audit)  # after a restart too
    assert again.known_answer(token) == '{"id":"f_1"}'
    assert [one.id for one in kept(again)] == ["f_1"]
    again.store.close()


def test_a_token_is_its_keys_own(corrections):
    for number, key in enumerate(("k1", "k2")):
        corrections.add([feedback(f"f_{number}")], Token(key, "same", "body"), key)
    assert len(kept(corrections)) == 2
    assert corrections.known_answer(Token("k2", "same", "body")) == "k2"


def test_a_token_for_another_body_is_refused_and_nothing_is_written(corrections):
    corrections.add([feedback("f_1")], Token("k1", "once", "body"), "first")
    other = Token("k1", "once", "other body")
    for action in (
        lambda: corrections.add([feedback("f_2")], other, "second"),
        lambda: corrections.known_answer(other),
    ):
        with pytest.raises(OtherBody) as caught:
            action()
        assert str(caught.value) == "the idempotency key 'once' was used for another request; use a new one for each."
    assert [one.id for one in kept(corrections)] == ["f_1"]


@pytest.mark.parametrize("text", ["", "x" * 201])
def test_a_token_that_no_database_could_hold_is_refused(text):
    with pytest.raises(UserError) as caught:
        Token("k1", text, "body")
    assert str(caught.value) == f"an idempotency key has 1 to 200 characters; this has {len(text)}."


@pytest.mark.parametrize("text", ["x" * 200, "a\0b", "\ud800", "重复", "' OR 1=1 --"])
def test_any_other_token_works_once(corrections, text):
    token = Token("k1", text, "body")
    corrections.add([feedback("f_1")], token, "first")
    assert corrections.add([feedback("f_2")], token, "second") == "first"
    assert len(kept(corrections)) == 1


def test_what_cannot_be_written_leaves_no_token(corrections, monkeypatch):
    token = Token("k1", "once", "body")

    def fail(*arguments):
        raise StoreUnavailable("the database does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr("burnish.store.corrections.insert_new", fail)
        with pytest.raises(StoreUnavailable):
            corrections.add([feedback("f_1")], token, "first")
    assert corrections.known_answer(token) is None
    assert corrections.add([feedback("f_2")], token, "second") == "second"
    assert [one.id for one in kept(corrections)] == ["f_2"]


def test_twins_at_the_same_moment_count_once_and_get_one_answer(corrections):
    meet = threading.Barrier(5, timeout=30)
    answers = {}

    def send(number):
        for request in range(6):
            meet.wait()
            record = feedback(f"f_{request}_{number}")
            answer = corrections.add([record], Token("k1", f"token {request}", "body"), record.id)
            answers[request, number] = answer

    threads = [threading.Thread(target=send, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for request in range(6):
        assert len({answers[request, number] for number in range(5)}) == 1
    assert sorted(one.id for one in kept(corrections)) == sorted({*answers.values()})


SEND = """
from burnish.store.audit import Audit
from burnish.store.corrections import Corrections, Token
from burnish.store.records import Feedback
from burnish.store.store import open_store
import burnish.store.upgrade, burnish.store.tables, alembic.command, sqlalchemy.dialects.postgresql

def work(own, url):
    store = open_store(url)
    corrections = Corrections(store, Audit(store, b""))
    answers = []
    for request in range(30):
        record = Feedback(f"f_{request}_{own}", 1.0, "p_1", "intent", 1, "k1", "label", "refund")
        answers.append(corrections.add([record], Token("k1", f"token {request}", "body"), record.id))
    store.close()
    return answers
"""


def test_twins_in_several_processes_count_once_and_get_one_answer(corrections, url):
    first, second, third = in_processes(SEND, 3, url)
    assert first == second == third
    assert sorted(one.id for one in kept(corrections)) == sorted(first)


def test_feedback_on_an_answer_that_was_erased_after_it_was_looked_up_is_refused(corrections, predictions):
    assert predictions.find("p_1") is not None
    predictions.erase("ann", key="k1")
    token = Token("k1", "once", "body")
    with pytest.raises(NotFound) as caught:
        corrections.add([feedback(comment="canary")], token, "thanks")
    assert str(caught.value) == "the answer 'p_1' is not there any more; feedback on it is not kept."
    assert kept(corrections) == []
    assert corrections.known_answer(token) is None  # nobody was thanked for what was not kept


def test_of_feedback_on_several_answers_all_is_kept_or_what_is_gone_is_named(corrections, predictions):
    predictions.add([prediction(f"p_{n:04}") for n in range(1200)])
    said = [feedback(f"f_{n:04}", prediction=f"p_{n:04}") for n in range(1222)]
    with pytest.raises(NotFound) as caught:
        corrections.add(said, None, "")
    lines = str(caught.value).split("\n")
    assert lines[0] == "the answer 'p_1200' is not there any more; feedback on it is not kept."
    assert lines[19:] == [
        "the answer 'p_1219' is not there any more; feedback on it is not kept.", "… and 2 more like these.",
    ]  # fmt: skip
    assert kept(corrections) == []
    corrections.add(said[:1200], None, "")
    assert len(kept(corrections)) == 1200


def test_what_is_said_while_old_answers_are_purged_is_kept_with_its_answer_or_refused(corrections, predictions):
    numbers = range(300)
    predictions.add([prediction(f"o_{n}", at=1.0) for n in numbers])
    thanked = []

    def say():
        for n in numbers:
            with suppress(NotFound):
                corrections.add([feedback(f"f_{n}", prediction=f"o_{n}")], None, "")
                thanked.append(f"o_{n}")

    thread = threading.Thread(target=say)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("burnish.store.predictions.DELETED_AT_ONCE", 5)
        thread.start()
        n_gone = predictions.purge(2.0, "worker")
        thread.join()
    assert sorted(one.prediction for one in kept(corrections)) == sorted(thanked)
    assert sorted(predictions.answered_in([f"o_{n}" for n in numbers])) == sorted(thanked)
    assert n_gone == len(numbers) - len(thanked)


def test_a_purge_waits_for_what_is_being_said_and_then_leaves_its_answer(corrections, predictions, monkeypatch):
    is_written, goes_on = threading.Event(), threading.Event()

    def insert_and_wait(*arguments):
        insert_new(*arguments)
        is_written.set()
        goes_on.wait(5)

    monkeypatch.setattr("burnish.store.corrections.insert_new", insert_and_wait)
    saying = threading.Thread(target=corrections.add, args=([feedback()], None, ""))
    purging = threading.Thread(target=predictions.purge, args=(9e9, "worker"))
    saying.start()
    assert is_written.wait(5)
    purging.start()
    purging.join(0.5)  # it finds no feedback on the answer yet, if it looks
    goes_on.set()
    saying.join()
    purging.join()
    assert [one.id for one in kept(corrections)] == ["f_1"]
    assert predictions.find("p_1") is not None


def test_feedback_is_decided_on_and_the_log_tells_how_much(corrections, audit):
    corrections.add([feedback(f"f_{n}") for n in range(3)], None, "")
    decisions = {
        "f_0": ("rejected", "垃圾"),
        "f_1": ("quarantined", ""),
        "f_2": ("rejected", ""),
        "f_9": ("rejected", ""),
    }
    assert corrections.decide(decisions, "user ann") == 3
    assert [(one.state, one.reason) for one in kept(corrections)] == [
        ("rejected", "垃圾"),
        ("quarantined", ""),
        ("rejected", ""),
    ]
    [line] = audit.entries()
    assert (line.who, line.what, line.about, line.detail) == (
        "user ann", "feedback decided", "3 corrections", {"rejected": 2, "quarantined": 1},
    )  # fmt: skip


def test_what_somebody_decided_meanwhile_stays(corrections):
    corrections.add([feedback(f"f_{n}") for n in range(3)], None, "")
    corrections.decide({"f_0": ("rejected", "spam"), "f_1": ("accepted", "decided by ann")}, "ann")
    held = {f"f_{n}": ("quarantined", "an outlier") for n in range(3)}
    assert corrections.decide(held, "the guard", still={"state": "accepted", "reason": ""}) == 1
    assert [(one.state, one.reason) for one in kept(corrections)] == [
        ("rejected", "spam"),
        ("accepted", "decided by ann"),
        ("quarantined", "an outlier"),
    ]


@pytest.mark.parametrize("decisions", [{}, {"f_9": ("rejected", "")}])
def test_where_nothing_is_decided_nothing_is_logged(corrections, audit, decisions):
    assert corrections.decide(decisions, "ann") == 0
    assert list(audit.entries()) == []


def test_what_a_release_learned_from_is_marked(corrections):
    corrections.add([feedback(f"f_{n:04}") for n in range(603)], None, "")
    corrections.mark_used([f"f_{n:04}" for n in range(601)], 7)
    corrections.mark_used([], 8)
    assert [one.used_in for one in kept(corrections)] == [7] * 601 + [None] * 2


def test_tokens_are_forgotten_after_their_time(corrections):
    token = Token("k1", "once", "body")
    corrections.add([feedback("f_1")], token, "first")
    corrections.forget_tokens(time.time() - DAY_S)
    assert corrections.known_answer(token) == "first"
    corrections.forget_tokens(time.time() + DAY_S)
    assert corrections.known_answer(token) is None
    assert len(kept(corrections)) == 1
