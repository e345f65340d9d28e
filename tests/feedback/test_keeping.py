"""What is kept of feedback: no personal data, and nothing that could not be learned any more."""

import pytest
from tests.feedback.said import classified, found, predicted, said

from burnish.core.shelves import Shelf
from burnish.data.masking import Mask
from burnish.data.privacy._contract import Found
from burnish.feedback.corrections import check, gold_of
from burnish.feedback.keeping import kept

TASKS = Shelf("tasks")
PHONE = "13800138000"
ORDER = {"text": f"order {PHONE} is late"}
"""The mask lets an order's number be, and takes the same digits alone for a telephone's."""
NOBODY = Mask(())


def names(text):
    return [Found(0, len(text), "name")] if text == "Ada" else []


def kept_of(kind, value, task, prediction, labels=("ORDER", "PER"), mask=None):
    """What is kept of a value that can be meant, and what it says then."""
    built = TASKS.build(task)
    check(kind, value, built, labels, prediction, allow_new_labels=True)
    found = kept(kind, value, built, labels, prediction, mask or Mask.of())
    return found, gold_of(prediction, said(kind, found), built)


def test_the_input_of_these_tests_is_kept_as_it_is_and_its_digits_alone_are_not():
    assert Mask.of()(ORDER["text"]).text == ORDER["text"]
    assert Mask.of()(PHONE).text == "[PHONE]"


@pytest.mark.parametrize(
    "span",
    [
        {"start": 6, "end": 17, "label": "ORDER", "text": PHONE},
        {"start": 6, "end": 16, "label": "ORDER", "text": PHONE},
        {"start_offset": 6, "end_offset": 17, "label": "ORDER"},
        {"value": {"start": 6, "end": 17, "labels": ["ORDER"], "text": PHONE}},
        [6, 17, "ORDER"],
    ],
)
def test_of_spans_only_their_places_are_kept(span):
    value, gold = kept_of("spans", [span], "tokens", predicted(found(), ORDER))
    assert (value, gold) == ([[6, 17, "ORDER"]], {(6, 17, "ORDER")})


def test_what_spans_say_of_a_text_that_was_not_kept_is_not_kept_either():
    span = {"start": 6, "end": 17, "label": "ORDER", "text": PHONE}
    value, _ = kept_of("spans", [span], "tokens", predicted(found(), None, n_characters=25))
    assert value == [[6, 17, "ORDER"]]


def test_a_piece_of_the_kept_context_stays_and_one_that_stands_nowhere_is_masked():
    row = {"question": "which", "context": ORDER["text"]}
    value, gold = kept_of(
        "spans", [{"text": PHONE, "start": 6}, {"text": "call 13911112222"}], "answers", predicted({}, row)
    )
    assert value == [{"text": "call [PHONE]", "start": None}, {"text": PHONE, "start": 6}]
    assert gold == {(6, PHONE), (None, "call [PHONE]")}


def test_labels_of_the_model_stay_whatever_they_look_like():
    one, _ = kept_of("label", PHONE, "classification", predicted(classified(), {"text": "a"}), (PHONE,))
    several, _ = kept_of("label", [PHONE, "Ada"], "multilabel", predicted({}, {"text": "a"}), (PHONE, "Ada"))
    assert (one, several) == (PHONE, [PHONE, "Ada"])


def test_a_new_label_is_nobodys_name_and_holds_no_telephone_number():
    mask, prediction = Mask.of(names=names), predicted(classified(), {"text": "a"})
    for new, stays in (("Ada", "Ada"), (f"call {PHONE}", "call [PHONE]")):
        assert kept_of("label", new, "classification", prediction, mask=mask)[0] == stays
        assert kept_of("label", [new], "multilabel", prediction, mask=mask)[0] == [stays]
        spans = kept_of("spans", [[0, 1, new]], "tokens", prediction, mask=mask)[0]
        assert spans == [[0, 1, stays]]


def test_ids_that_were_looked_up_stay_and_others_are_masked():
    """Without its input nobody knows what an answer's id could be."""
    for row, stays in (({"query": "q"}, [PHONE, "b"]), (None, ["[PHONE]", "b"])):
        assert kept_of("label", [PHONE, "b"], "retrieval", predicted({}, row))[0] == stays


def test_a_text_that_is_right_is_masked_like_any_other():
    prediction = predicted({"text": "Yes"}, {"prompt": "p"})
    assert kept_of("label", f"call {PHONE}", "generation", prediction)[0] == "call [PHONE]"


def test_numbers_and_yes_or_no_stay():
    wide = {"name": "matching", "scale": [0, 1e12]}
    pair = {"text": "a", "text_pair": "b"}
    everybody = Mask((), names=lambda text: [Found(0, len(text), "name")])
    assert kept_of("score", 13800138000, wide, predicted({"score": 0.5}, pair))[0] == 13800138000
    assert kept_of("label", "yes", "next_sentence", predicted({}, pair), mask=everybody)[0] == "yes"
    assert kept_of("accepted", True, "classification", predicted(classified(), pair))[0] is True


def test_of_several_tasks_the_one_that_is_meant_is_masked_in_its_way():
    tasks = {"mood": {"task": "classification"}, "names": {"task": "tokens"}}
    task, prediction = TASKS.build({"name": "multitask", "tasks": tasks}), predicted({}, ORDER)
    labels = (f"mood/{PHONE}", "names/ORDER")
    assert kept("label", {"mood": PHONE}, task, labels, prediction, Mask.of()) == {"mood": PHONE}
    span = {"start": 6, "end": 17, "label": "ORDER", "text": PHONE}
    assert kept("spans", {"names": [span]}, task, labels, prediction, Mask.of()) == {"names": [[6, 17, "ORDER"]]}
    assert kept("accepted", {"mood": True}, task, labels, prediction, NOBODY) == {"mood": True}
