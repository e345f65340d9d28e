"""What feedback teaches: who is believed, what is kept back, and what nothing may be learned from."""

import pytest
from tests.store.conftest import prediction

from burnish.core.shelves import Shelf
from burnish.feedback.caps import Caps
from burnish.feedback.guard import Guard
from burnish.flows.recording import digest_of
from burnish.flows.retraining import Retraining
from burnish.flows.teaching import KEPT_BACK, taught
from burnish.store.records import Feedback

TASK = Shelf("tasks").build("classification")
STRICT = Guard(caps=Caps(free=0, count=2))
"""Of every user two corrections are taken."""


def answered(home, texts, answer="good", **fields):
    """Answers of `intent`, as they are kept; returns their ids."""
    found = []
    for text in texts:
        row = {"text": text}
        digest = digest_of(home, row)
        own = {"input": row, "input_digest": digest, "answer": {"label": answer}, "label": answer, **fields}
        found.append(prediction(f"p_{digest[:12]}_{fields.get('version', 1)}", confidence=0.6, **own))
    home.predictions.add(found)
    return [one.id for one in found]


def said(home, predictions, label="bad", key="k1", kind="label", **fields):
    """Feedback on answers; returns its ids."""
    found = [
        Feedback(f"f_{key}_{one}_{label}", 2000.0 + at, one, "intent", 1, key, kind, label, **fields)
        for at, one in enumerate(predictions)
    ]
    home.corrections.add(found, None, "")
    return [one.id for one in found]


def learned(home, held_out=0.0, guard=None, unlearnable=()):
    return taught(home, "intent", TASK, Retraining(guard=guard or Guard(), held_out=held_out), unlearnable)


def texts(rows):
    return [row["text"] for row in rows]


def states(home):
    return {one.id: (one.state, one.reason) for one in home.corrections.of_period("intent")}


def test_a_correction_is_a_row_of_the_input_with_the_right_label(new_home):
    ids = said(new_home, answered(new_home, ["我的好", "good day"]), "坏")
    found = learned(new_home)
    assert found.rows == [{"text": "我的好", "label": "坏"}, {"text": "good day", "label": "坏"}]
    assert (list(found.feedback), found.n_new, list(found.held_out), list(found.judging)) == (ids, 2, [], [])


def test_a_confirmed_answer_teaches_and_a_refused_one_does_not(new_home):
    one, other = answered(new_home, ["a", "b"])
    said(new_home, [one], True, kind="accepted")
    said(new_home, [other], False, kind="accepted")
    found = learned(new_home)
    assert (found.rows, found.n_open) == ([{"text": "a", "label": "good"}], 1)


def test_feedback_that_was_put_aside_or_rejected_teaches_nothing(new_home):
    one, other = answered(new_home, ["a", "b"])
    said(new_home, [one], state="quarantined")
    said(new_home, [other], state="rejected")
    assert learned(new_home).rows == []


def test_inputs_that_were_not_kept_teach_nothing_and_are_counted(new_home):
    said(new_home, answered(new_home, ["a", "b"], input=None))
    said(new_home, answered(new_home, ["c"]))
    found = learned(new_home)
    assert (texts(found.rows), found.n_unkept, found.n_new) == (["c"], 2, 1)


def test_corrections_of_inputs_that_were_not_kept_do_not_fill_the_guard(new_home):
    """They can never be learned, so they would be in every batch for ever."""
    said(new_home, answered(new_home, ["a", "b", "c"], input=None))
    said(new_home, answered(new_home, ["d", "e"]))
    found = learned(new_home, guard=STRICT)
    assert (texts(found.rows), found.n_quarantined) == (["d", "e"], 0)


# Who is believed.


def test_two_users_who_contradict_each_other_leave_it_open(new_home):
    one = answered(new_home, ["a"])
    said(new_home, one, "bad", "k1")
    said(new_home, one, "soso", "k2")
    found = learned(new_home)
    assert (found.rows, found.n_open) == ([], 1)


@pytest.mark.parametrize("role", ["review", "release", "admin"])
def test_a_reviewer_settles_what_a_user_says(new_home, role):
    key, _ = new_home.keys.create("ann", [role], "user bob")
    one = answered(new_home, ["a"])
    said(new_home, one, "bad", "k1")
    said(new_home, one, "soso", key.id)
    assert learned(new_home).rows == [{"text": "a", "label": "soso"}]


def test_whoever_has_the_command_line_is_believed_too(new_home):
    one = answered(new_home, ["a"])
    said(new_home, one, "bad", "k1")
    said(new_home, one, "soso", "user ann")
    assert learned(new_home).rows == [{"text": "a", "label": "soso"}]


def test_the_holder_of_a_revoked_key_is_not(new_home):
    key, _ = new_home.keys.create("ann", ["review"], "user bob")
    new_home.keys.revoke(key.id, "user bob")
    one = answered(new_home, ["a"])
    said(new_home, one, "bad", "k1")
    said(new_home, one, "soso", key.id)
    assert learned(new_home).n_open == 1


@pytest.mark.parametrize(("key", "n_taken"), [("k1", 2), ("user ann", 5)])
def test_one_user_teaches_so_much_at_once_and_an_operator_any_amount(new_home, key, n_taken):
    said(new_home, answered(new_home, "abcde"), key=key)
    found = learned(new_home, guard=STRICT)
    assert (len(found.rows), found.n_quarantined) == (n_taken, 5 - n_taken)


def test_what_the_guard_holds_back_waits_for_a_reviewer_who_has_the_last_word(new_home):
    ids = said(new_home, answered(new_home, "abc"))
    told = []
    taught(new_home, "intent", TASK, Retraining(guard=STRICT, held_out=0.0), listen=told.append)
    assert [one.text for one in told] == ["1 of 3 new corrections are put aside for review: burnish feedback intent"]
    assert states(new_home)[ids[2]] == (
        "quarantined", "its user sent more than the 2 that one user may add to this batch.",
    )  # fmt: skip
    assert [one.who for one in new_home.audit.entries()] == ["the guard"]
    new_home.corrections.decide({ids[2]: ("accepted", "decided by user ann")}, "user ann")
    found = learned(new_home, guard=STRICT)
    assert (len(found.rows), found.n_quarantined) == (3, 0)


def test_what_a_release_learned_from_is_not_reviewed_again_and_is_not_new(new_home):
    ids = said(new_home, answered(new_home, "ab"))
    new_home.corrections.mark_used(ids, 2)
    said(new_home, answered(new_home, "cde"))
    found = learned(new_home, guard=STRICT)
    assert (len(found.rows), found.n_new, found.n_quarantined) == (4, 2, 1)


def test_an_input_is_not_new_where_another_user_says_what_was_learned(new_home):
    one = answered(new_home, ["a"])
    new_home.corrections.mark_used(said(new_home, one), 2)
    said(new_home, one, key="k2")
    assert (learned(new_home).n_new, len(learned(new_home).feedback)) == (0, 2)


def test_the_guard_is_told_what_is_asked_in_general_since_the_oldest_of_the_batch(new_home):
    seen = []

    class Watching(Guard):
        def review(self, batch, context=None):
            seen.append(context)
            return super().review(batch, context)

    answered(new_home, ["long ago"], at=10.0)
    said(new_home, answered(new_home, ["a"], at=500.0))
    answered(new_home, ["就在那时"], at=600.0)
    learned(new_home, guard=Watching())
    assert seen[0].background == ["a", "就在那时"]
    assert seen[0].earlier == ()


# What is kept back.


def test_an_input_is_on_one_side_whoever_says_what_of_it(new_home):
    said(new_home, answered(new_home, [f"第 {number} 句" for number in range(400)]))
    first = learned(new_home, 0.2)
    assert len(first.held_out) == pytest.approx(80, abs=30)  # 3.75 standard deviations
    assert len(first.rows) + len(first.held_out) == 400 - first.n_quarantined
    assert len(first.judging) == len(first.held_out)
    again = texts(first.held_out)
    said(new_home, answered(new_home, again, version=2), "soso", "k2")  # of another version, by another user
    said(new_home, answered(new_home, again, version=2), "soso", "user ann")
    more = learned(new_home, 0.2)
    assert set(again) <= set(texts(more.held_out))
    assert not set(again) & set(texts(more.rows))


def test_a_larger_share_keeps_back_what_a_smaller_one_does(new_home):
    said(new_home, answered(new_home, [f"text {number}" for number in range(60)]), key="user ann")
    none, some, more = (set(texts(learned(new_home, share).held_out)) for share in (0, 0.2, 0.5))
    assert none < some < more


def test_what_has_judged_is_learned_the_next_time_and_what_was_learned_never_judges(new_home):
    said(new_home, answered(new_home, [f"text {number}" for number in range(60)]), key="user ann")
    first = learned(new_home, 0.3)
    new_home.corrections.mark_used(first.feedback, 2)
    new_home.corrections.decide(dict.fromkeys(first.judging, ("accepted", KEPT_BACK)), "user ann")
    for share in (0.0, 0.1, 0.9):
        again = learned(new_home, share)
        assert sorted(texts(again.rows)) == sorted(texts(first.rows) + texts(first.held_out))
        assert (again.held_out, again.n_new) == ([], 0)
    said(new_home, answered(new_home, [f"newer {number}" for number in range(60)]), key="user ann")
    later = learned(new_home, 0.3)
    assert all(text.startswith("newer") for text in texts(later.held_out))
    assert (len(later.held_out) > 0, later.n_new) == (True, 60 - len(later.held_out))


def test_nothing_is_learned_from_texts_that_nothing_may_be_learned_from(new_home):
    said(new_home, answered(new_home, [" GOOD   Day ", "another"]))
    found = learned(new_home, unlearnable={"good day"})
    assert (texts(found.rows), found.n_tested, found.n_new) == (["another"], 1, 1)


def test_what_was_erased_is_not_learned_the_next_time(new_home):
    """Whoever asked it, and whoever corrected it; what others said is as if it had never been there."""
    own, others = answered(new_home, ["canary-4711"], key="k1"), answered(new_home, ["a", "b"], key="k2")
    said(new_home, [*own, *others])
    assert len(learned(new_home).rows) == 3
    new_home.predictions.erase("user ann", key="k1")
    found = learned(new_home)
    assert (texts(found.rows), "canary-4711" in str(found)) == (["a", "b"], False)


def test_without_any_feedback_there_is_nothing(new_home):
    found = learned(new_home, 0.2)
    assert (found.rows, found.held_out, found.n_new, found.n_open) == ([], [], 0, 0)


def test_what_cannot_be_read_is_passed_over_and_told_and_the_rest_is_learned(new_home):
    """Of a time when the task was another; and a row that training could not read."""
    one, other = answered(new_home, ["a", "b"])
    said(new_home, [one], ["bad", "good"])
    said(new_home, [other])
    told = []
    found = taught(new_home, "intent", TASK, Retraining(held_out=0.0), listen=told.append)
    assert texts(found.rows) == ["b"]
    assert [(event.text, event.level) for event in told] == [
        (
            (
                "1 of what was said cannot be read and is passed over: f_k1_"
                f"{one}_['bad', 'good']: the label must be one name; got ['bad', 'good']."
            ),
            "warning",
        )
    ]


def test_a_row_that_training_could_not_read_is_passed_over_and_told(new_home):
    [one, other] = answered(new_home, [" ", "b"])
    [blank, _] = said(new_home, [one, other])
    told = []
    found = taught(new_home, "intent", TASK, Retraining(held_out=0.0), listen=told.append)
    assert texts(found.rows) == ["b"]
    [event] = told
    assert event.text.startswith(f"1 of what was said cannot be read and is passed over: {blank}: ")
