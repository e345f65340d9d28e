import pytest
from tests.feedback.crowd import opinion
from tests.feedback.said import classified, found, predicted, said

from burnish.core.shelves import Shelf
from burnish.feedback.opinions import Unread, latest, opinions, told_unread

TASKS = Shelf("tasks")


def only(feedback, prediction, task="classification", **settings):
    [one] = opinions([feedback], {prediction.id: prediction}, TASKS.build({"name": task, **settings}))
    return one


def test_an_opinion_knows_what_is_said_what_was_answered_and_of_which_input():
    one = only(said("label", "billing"), predicted(classified("refund"), {"text": "money"}))
    assert (one.user, one.item, one.gold, one.answer, one.text) == ("ann", "d1", "billing", "refund", "money")
    assert one.is_change
    assert one.is_named


def test_the_texts_of_a_pair_are_read_both():
    assert only(said("label", "a"), predicted(classified(), {"text": "one", "text_pair": "two"})).text == "one\ntwo"


def test_accepting_is_no_change_and_refusing_is_one_without_a_gold():
    row = {"text": "money"}
    accepted = only(said("accepted", True), predicted(classified("refund"), row))
    refused = only(said("accepted", False), predicted(classified("refund"), row))
    assert (accepted.gold, accepted.is_change) == ("refund", False)
    assert (refused.gold, refused.is_change, refused.is_named) == (None, True, False)
    assert not refused.pushes


def test_without_a_digest_each_prediction_is_an_input_of_its_own():
    assert only(said("accepted", True), predicted(classified(), {"text": "a"}, input_digest="")).item == "p1"


def test_feedback_whose_prediction_is_gone_is_left_out():
    assert opinions([said("label", "a")], {}, TASKS.build("classification")) == []


@pytest.mark.parametrize(
    ("task", "answer", "kind", "value", "pushes"),
    [
        ("classification", classified("refund"), "label", "billing", {"billing"}),
        ("classification", classified("refund"), "label", "refund", set()),
        ("multilabel", {"labels": [{"label": "a"}]}, "label", ["a", "b"], {"b"}),
        ("multilabel", {"labels": [{"label": "a"}, {"label": "b"}]}, "label", ["a"], {"not b"}),
        ("tokens", found((0, 3, "PER")), "spans", [[0, 3, "PER"], [4, 6, "LOC"]], {"LOC"}),
        ("tokens", found((0, 3, "PER")), "spans", [[0, 4, "PER"]], {"PER"}),
        ("tokens", found((0, 3, "PER")), "spans", [], {"not PER"}),
        ("matching", {"score": 0.4}, "score", 0.9, {"a higher score"}),
        ("matching", {"score": 0.4}, "score", 0.1, {"a lower score"}),
        ("generation", {"text": "Yes"}, "label", "No", set()),
        ("retrieval", {"hits": [{"id": "1"}]}, "label", "2", {"2"}),
    ],
)
def test_a_change_pushes_what_the_model_would_give_more_often(task, answer, kind, value, pushes):
    row = {"text": "Ada in Oslo", "text_pair": "b", "prompt": "p", "query": "q"}
    assert only(said(kind, value), predicted(answer, row), task).pushes == pushes


def test_of_several_tasks_each_is_an_input_of_its_own():
    tasks = {"mood": {"task": "classification"}, "topic": {"task": "classification"}}
    answer = {"mood": classified("good"), "topic": classified("food")}
    one = only(said("label", {"mood": "bad"}), predicted(answer, {"text": "a"}), "multitask", tasks=tasks)
    assert (one.item, one.member, one.gold, one.answer) == ("d1/mood", "mood", "bad", "good")


def test_who_changes_his_mind_has_one_voice_his_latest():
    said = [
        opinion("ann", "a", item="x", number=0, at=2.0),
        opinion("bob", "a", item="x", number=1, at=1.0),
        opinion("ann", "b", item="x", number=2, at=3.0),
        opinion("ann", "b", item="y", number=3, at=1.0),
    ]
    assert latest(said) == [1, 2, 3]
    assert latest([said[2], said[0]]) == [0]  # by time, not by place


def test_what_cannot_be_read_any_more_is_left_out_and_told_and_all_else_is_read():
    """A scale that was another, a surface that was masked, and tasks that share a model no longer."""
    text = {"text": "order 13800138000 is late"}
    masked = said("spans", [{"start": 6, "end": 17, "label": "ORDER", "text": "[PHONE]"}], id="f_span")
    fine = said("spans", [[6, 17, "ORDER"]], id="f_fine")
    unread = []
    tokens = TASKS.build("tokens")
    found_ = opinions([masked, fine], {"p1": predicted(found(), text)}, tokens, unread.append)
    assert [one.feedback.id for one in found_] == ["f_fine"]
    assert unread == [
        (
            "f_span",
            (
                "the span [6, 17] 'ORDER' should be '[PHONE]', but the text has '13800138000' there; "
                "offsets count characters from 0, not bytes, and the end is exclusive."
            ),
        )
    ]
    pair, unread = {"p1": predicted({"score": 0.5}, {"text": "a", "text_pair": "b"})}, []
    assert opinions([said("score", 4)], pair, TASKS.build("matching"), unread.append) == []
    assert unread == [("f1", "the score must be a number from 0 to 1; got 4.")]
    assert opinions([said("label", {"mood": "bad"})], pair, TASKS.build("classification"), unread.append) == []
    assert len(unread) == 2


def test_what_was_passed_over_is_told_in_one_line():
    unread = [Unread(f"f_{number}", "no.") for number in range(7)]
    assert told_unread(unread[:1]) == "1 of what was said cannot be read and is passed over: f_0: no."
    assert told_unread(unread) == (
        "7 of what was said cannot be read and is passed over: f_0: no. f_1: no. f_2: no. f_3: no. f_4: no. and 2 more"
    )
