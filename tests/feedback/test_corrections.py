import re

import pytest
from tests.feedback.said import LABELS, classified, found, predicted, said

from burnish.core.shelves import Shelf
from burnish.feedback.corrections import check, gold_of, kinds_of, row_of, row_with

TASKS = Shelf("tasks")
TEXT = {"text": "where is my money"}
NAMES = {"text": "Ada lives in 北京"}


def task(name, **settings):
    return TASKS.build({"name": name, **settings})


def checked(kind, value, of, prediction, labels=LABELS, **how):
    check(kind, value, of, labels, prediction, **how)


def refused(sentence, kind, value, of, prediction, labels=LABELS, **how):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        check(kind, value, of, labels, prediction, **how)


# What can be said of which task's answers.


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("answers", ("spans", "accepted")),
        ("causal_lm", ("accepted",)),
        ("classification", ("label", "accepted")),
        ("contrastive", ("accepted",)),
        ("dialogue", ("label", "accepted")),
        ("generation", ("label", "accepted")),
        ("image", ("label", "accepted")),
        ("image_text", ("accepted",)),
        ("masked_lm", ("accepted",)),
        ("matching", ("score", "accepted")),
        ("multilabel", ("label", "accepted")),
        ("next_sentence", ("label", "accepted")),
        ("ranking", ("label", "accepted")),
        ("relations", ("label", "accepted")),
        ("retrieval", ("label", "accepted")),
        ("seq2seq", ("label", "accepted")),
        ("speech", ("label", "accepted")),
        ("tokens", ("spans", "accepted")),
        ("transcription", ("label", "accepted")),
    ],
)
def test_what_can_be_said_of_an_answer_follows_from_the_tasks_gold(name, kinds):
    assert kinds_of(task(name)) == kinds


def test_every_task_but_the_joint_one_is_in_the_list_above():
    marks = test_what_can_be_said_of_an_answer_follows_from_the_tasks_gold.pytestmark[0].args[1]
    assert {name for name, _ in marks} == set(TASKS.names()) - {"multitask"}


def test_another_kind_is_refused_with_those_that_there_are():
    refused(
        "an answer of the task 'classification' takes feedback of the kinds: label, accepted; got 'lable'. "
        "Did you mean 'label'?",
        "lable",
        "refund",
        task("classification"),
        predicted(classified(), TEXT),
    )


def test_accepted_is_true_or_false():
    for value in (True, False):
        checked("accepted", value, task("classification"), predicted(classified(), TEXT))
    for value in ("true", 1, None):
        refused(
            f"accepted must be true or false; got {value!r}.",
            "accepted",
            value,
            task("classification"),
            predicted(classified(), TEXT),
        )


# Labels.


def test_a_label_that_does_not_exist_is_refused_with_the_nearest():
    refused(
        "there is no label 'refnd'. Did you mean 'refund'? The labels are: refund, billing, 退款.",
        "label",
        "refnd",
        task("classification"),
        predicted(classified(), TEXT),
    )


def test_a_new_label_may_be_allowed_but_not_a_twin_of_an_old_one():
    prediction = predicted(classified(), TEXT)
    checked("label", "投诉", task("classification"), prediction, allow_new_labels=True)
    refused(
        "the label 'Refund' differs from 'refund' in capitals only; write 'refund'.",
        "label",
        "Refund",
        task("classification"),
        prediction,
        allow_new_labels=True,
    )


@pytest.mark.parametrize("value", [None, "", "  ", ["refund"], True, {"label": "refund"}])
def test_a_label_is_one_name(value):
    refused("the label must be one name; got", "label", value, task("classification"), predicted(classified(), TEXT))


def test_a_label_may_be_a_number_as_in_the_data():
    checked("label", 3, task("classification"), predicted(classified("3"), TEXT), labels=("3", "4"))
    checked("label", 3.0, task("classification"), predicted(classified("3"), TEXT), labels=("3", "4"))


def test_long_values_are_shown_shortened():
    with pytest.raises(ValueError, match=r"got \['xx") as error:
        checked("label", ["x" * 1000], task("classification"), predicted(classified(), TEXT))
    assert len(str(error.value)) < 200


def test_several_labels_are_a_list_of_names_that_may_be_empty():
    answer = {"labels": [{"label": "refund", "confidence": 0.9, "abstained": False}]}
    checked("label", [], task("multilabel"), predicted(answer, TEXT))
    checked("label", ["billing", "退款"], task("multilabel"), predicted(answer, TEXT))
    refused("the label must be a list of names, [] for none; got 'refund'.", "label", "refund", task("multilabel"),
            predicted(answer, TEXT))  # fmt: skip
    refused("there is no label 'x'.", "label", ["refund", "x"], task("multilabel"), predicted(answer, TEXT))


def test_whether_a_sentence_follows_is_yes_or_no():
    row = {"text": "a", "text_pair": "b"}
    answer = {"follows": True, "probability": 0.9, "abstained": False}
    for value in (True, "no", "Yes"):
        checked("label", value, task("next_sentence"), predicted(answer, row), labels=("no", "yes"))
    for value in ("perhaps", 3, None):
        refused("the label must be yes or no; got", "label", value, task("next_sentence"), predicted(answer, row))


# Spans.


def test_spans_that_overlap_or_leave_the_text_are_refused():
    prediction = predicted(found((0, 3, "PER")), NAMES)
    labels = ("PER", "LOC")
    checked("spans", [[0, 3, "PER"], [13, 15, "LOC"]], task("tokens"), prediction, labels)
    checked("spans", [], task("tokens"), prediction, labels)
    refused("overlap; keep one of them.", "spans", [[0, 3, "PER"], [2, 9, "LOC"]], task("tokens"), prediction, labels)
    refused("leaves the text, which has 15 characters", "spans", [[13, 16, "LOC"]], task("tokens"), prediction, labels)
    refused(
        "there is no label 'LOK'. Did you mean 'LOC'?", "spans", [[13, 15, "LOK"]], task("tokens"), prediction, labels
    )
    refused("the spans must be a list such as [[start, end, label], …]; got 'PER'.", "spans", "PER", task("tokens"),
            prediction, labels)  # fmt: skip


def test_spans_may_say_what_they_cover_and_then_it_must_be_there():
    prediction = predicted(found(), NAMES)
    checked("spans", [{"start": 13, "end": 15, "label": "LOC", "text": "北京"}], task("tokens"), prediction, ("LOC",))
    wrong = [{"start": 13, "end": 15, "label": "LOC", "text": "上海"}]
    refused("should be '上海', but the text has '北京' there", "spans", wrong, task("tokens"), prediction, ("LOC",))


def test_of_a_text_that_was_not_kept_its_length_still_bounds_the_spans():
    prediction = predicted(found(), None, n_characters=15)
    checked("spans", [{"start": 13, "end": 15, "label": "LOC", "text": "北京"}], task("tokens"), prediction, ("LOC",))
    checked("spans", [{"value": {"start": 13, "end": 15, "labels": ["LOC"], "text": "北京"}}], task("tokens"),
            prediction, ("LOC",))  # fmt: skip
    refused(
        "leaves the text, which has 15 characters", "spans", [[13, 16, "LOC"]], task("tokens"), prediction, ("LOC",)
    )


def test_spans_of_words_count_the_characters_of_the_words_joined():
    prediction = predicted(found(), {"tokens": ["Ada", "in", "Oslo"]})
    checked("spans", [[7, 11, "LOC"]], task("tokens"), prediction, ("LOC",))
    assert row_of(prediction, said("spans", [[7, 11, "LOC"]]), task("tokens")) == {
        "text": "Ada in Oslo",
        "spans": [[7, 11, "LOC"]],
    }


def test_a_piece_of_a_context_must_stand_there():
    row = {"question": "where?", "context": "she lives in 北京"}
    prediction = predicted({"answer": "she", "start": 0, "end": 3, "confidence": 0.5, "abstained": False}, row)
    checked("spans", [{"text": "北京", "start": 13}], task("answers"), prediction, ())
    checked("spans", [], task("answers"), prediction, ())
    refused("is not in the context", "spans", [{"text": "上海", "start": 13}], task("answers"), prediction, ())
    refused(
        "the context of this answer was not kept, so no piece of it can be told to be right.",
        "spans",
        [],
        task("answers"),
        predicted(prediction.answer, None),
        (),
    )


# Scores, texts, ids.


def test_a_score_lies_on_the_tasks_scale():
    row = {"text": "a", "text_pair": "b"}
    prediction = predicted({"score": 3.0, "is_match": True}, row)
    of = task("matching", scale=[0, 5])
    checked("score", 5, of, prediction)
    for value in (5.5, -1, float("nan"), "4", True, None):
        refused(f"the score must be a number from 0 to 5; got {value!r}.", "score", value, of, prediction)


def test_a_written_answer_is_corrected_by_the_text_that_is_right():
    prediction = predicted({"text": "Yes.", "is_finished": True}, {"prompt": "Is it so?"})
    checked("label", "No.", task("generation"), prediction, ())
    for value in ("", " ", 3, ["No."]):
        refused(f"the label must be the text that is right; got {value!r}.", "label", value, task("generation"),
                prediction, ())  # fmt: skip


def test_what_should_have_been_found_is_named_by_its_id():
    prediction = predicted({"hits": [{"id": "7"}]}, {"query": "where"})
    checked("label", "9", task("retrieval"), prediction, ())
    checked("label", [9, "8"], task("retrieval"), prediction, ())
    refused("the label must be the id of what is right, or a list of ids; got none.", "label", [], task("retrieval"),
            prediction, ())  # fmt: skip


def test_what_training_could_not_read_is_refused_now():
    prediction = predicted(classified(), {"text": "Ada works there"})
    refused("<e1>", "label", "refund", task("relations"), prediction)


def test_a_fault_of_the_tasks_own_reading_is_told_in_its_words(monkeypatch):
    from burnish.core.errors import UserError

    def fail(*_, **__):
        raise UserError("the catalogue has gone.")

    monkeypatch.setattr(type(task("classification")), "read", fail)
    refused("the catalogue has gone.", "label", "refund", task("classification"), predicted(classified(), TEXT))


def test_a_file_that_a_row_names_is_not_opened():
    prediction = predicted(classified(), {"image": "/dev/zero"})
    checked("label", "refund", task("image"), prediction)


# Rows.


@pytest.mark.parametrize(
    ("name", "row", "answer", "kind", "value", "expected"),
    [
        ("classification", {"text": "a", "text_pair": "b"}, classified(), "label", " billing ",
         {"text": "a", "text_pair": "b", "label": "billing"}),
        ("multilabel", {"text": "a"}, {"labels": []}, "label", ["退款", "billing"],
         {"text": "a", "labels": ["billing", "退款"]}),
        ("tokens", NAMES, found(), "spans", [{"start": 13, "end": 15, "label": "LOC"}, [0, 3, "PER"]],
         {**NAMES, "spans": [[0, 3, "PER"], [13, 15, "LOC"]]}),
        ("matching", {"text": "a", "text_pair": "b"}, {"score": 0.2, "is_match": False}, "score", 1,
         {"text": "a", "text_pair": "b", "score": 1.0}),
        ("next_sentence", {"text": "a", "text_pair": "b"}, {"follows": True}, "label", False,
         {"text": "a", "text_pair": "b", "follows": "no"}),
        ("seq2seq", {"text": "cat"}, {"text": "Hund", "is_finished": True}, "label", "Katze",
         {"text": "cat", "target": "Katze"}),
        ("generation", {"prompt": "Hi", "system": "be kind"}, {"text": "?"}, "label", "你好！",
         {"prompt": "Hi", "system": "be kind", "response": "你好！"}),
        ("answers", {"question": "q", "context": "in Oslo"}, {"answer": "", "start": None}, "spans",
         {"text": ["Oslo"], "answer_start": [3]},
         {"question": "q", "context": "in Oslo", "answers": [{"text": "Oslo", "start": 3}]}),
        ("retrieval", {"query": "where"}, {"hits": []}, "label", 9, {"query": "where", "id": ["9"]}),
    ],
)  # fmt: skip
def test_a_correction_makes_a_training_row_that_the_task_reads(name, row, answer, kind, value, expected):
    made = row_of(predicted(answer, row), said(kind, value), task(name))
    assert made == expected
    task(name).read(made, is_labelled=True)


@pytest.mark.parametrize(
    ("name", "row", "answer", "expected"),
    [
        ("classification", TEXT, classified("退款"), {**TEXT, "label": "退款"}),
        ("multilabel", TEXT, {"labels": [{"label": "b"}, {"label": "a"}]}, {**TEXT, "labels": ["a", "b"]}),
        ("multilabel", TEXT, {"labels": []}, {**TEXT, "labels": []}),
        ("tokens", NAMES, found((13, 15, "LOC")), {**NAMES, "spans": [[13, 15, "LOC"]]}),
        ("tokens", NAMES, found(), {**NAMES, "spans": []}),
        ("matching", {"text": "a", "text_pair": "b"}, {"score": 0.25, "is_match": False},
         {"text": "a", "text_pair": "b", "score": 0.25}),
        ("answers", {"question": "q", "context": "in Oslo"}, {"answer": "Oslo", "start": 3},
         {"question": "q", "context": "in Oslo", "answers": [{"text": "Oslo", "start": 3}]}),
        ("answers", {"question": "q", "context": "in Oslo"}, {"answer": "", "start": None},
         {"question": "q", "context": "in Oslo", "answers": []}),
        ("generation", {"prompt": "Hi"}, {"text": "Hello"}, {"prompt": "Hi", "response": "Hello"}),
        ("ranking", {"history": ["1"]}, {"items": [{"id": "5"}, {"id": "6"}]}, {"history": ["1"], "item": ["5"]}),
    ],
)  # fmt: skip
def test_an_accepted_answer_is_the_gold_of_its_row(name, row, answer, expected):
    assert row_of(predicted(answer, row), said("accepted", True), task(name)) == expected


def test_columns_that_the_task_does_not_read_and_old_gold_are_left_out():
    row = {**TEXT, "label": "old", "customer": 7, "text_pair": None}
    assert row_of(predicted(classified(), row), said("label", "billing"), task("classification")) == {
        **TEXT,
        "label": "billing",
    }


@pytest.mark.parametrize(
    ("answer", "row", "feedback"),
    [
        (classified(), TEXT, said("accepted", False)),
        (classified(), None, said("label", "billing")),
        (classified(), "hash:5f0", said("label", "billing")),
        ({"text": ""}, TEXT, said("accepted", True)),
    ],
)
def test_nothing_is_learned_from_a_mere_no_or_without_the_input_or_an_answer(answer, row, feedback):
    assert row_of(predicted(answer, row), feedback, task("classification")) is None


def test_nothing_is_learned_of_an_empty_text_or_of_nothing_found():
    assert row_of(predicted({"text": " "}, {"prompt": "Hi"}), said("accepted", True), task("generation")) is None
    assert row_of(predicted({"hits": []}, {"query": "x"}), said("accepted", True), task("retrieval")) is None


def test_a_task_whose_gold_is_the_whole_row_cannot_be_corrected():
    with pytest.raises(ValueError, match=r"an answer of the task 'masked_lm' cannot be corrected by 'label'\."):
        gold_of(predicted({}, TEXT), said("label", "x"), task("masked_lm"))
    assert row_with(predicted({}, TEXT), "x", task("masked_lm")) is None


# Talks.


@pytest.mark.parametrize(
    ("row", "before"),
    [
        ({"prompt": "Hi"}, [("user", "Hi")]),
        ({"turns": ["Hi", "Hello", "And?"]}, [("user", "Hi"), ("assistant", "Hello"), ("user", "And?")]),
        ({"turns": '["Hi", "the answer that was there"]'}, [("user", "Hi")]),
        (
            {"messages": [{"role": "user", "content": "你好"}, {"role": "assistant", "content": "x"}]},
            [("user", "你好")],
        ),
        ({"messages": '[{"role": "user", "content": "Hi"}]'}, [("user", "Hi")]),
    ],
)
def test_the_next_turn_of_a_talk_is_its_last_message(row, before):
    made = row_of(predicted({"text": "?"}, row), said("label", "right"), task("dialogue"))
    assert [(one["role"], one["content"]) for one in made["messages"]] == [*before, ("assistant", "right")]
    task("dialogue").read(made, is_labelled=True)


def test_a_chat_that_already_holds_an_answer_learns_the_right_one_in_its_place():
    chat = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "old"}]
    made = row_of(predicted({"text": "?"}, {"messages": chat}), said("label", "new"), task("generation"))
    assert made == {"messages": chat[:1], "response": "new"}
    task("generation").read(made, is_labelled=True)


# Several tasks on one model.


@pytest.fixture
def joint():
    return task("multitask", tasks={"mood": {"task": "classification"}, "names": {"task": "tokens"}})


ANSWERS = {"mood": classified("good", others=("bad",)), "names": found((0, 3, "PER"))}
JOINT_LABELS = ("mood/good", "mood/bad", "names/PER")


def test_of_several_tasks_the_value_names_the_one_that_is_meant(joint):
    assert kinds_of(joint) == ("label", "accepted", "spans")
    prediction = predicted(ANSWERS, NAMES)
    checked("label", {"mood": "bad"}, joint, prediction, JOINT_LABELS)
    checked("spans", {"names": [[0, 3, "PER"]]}, joint, prediction, JOINT_LABELS)
    checked("accepted", {"names": True}, joint, prediction, JOINT_LABELS)
    assert row_of(prediction, said("label", {"mood": "bad"}), joint) == {**NAMES, "label": "bad", "task": "mood"}
    assert row_of(prediction, said("accepted", {"names": True}), joint) == {
        **NAMES,
        "spans": [[0, 3, "PER"]],
        "task": "names",
    }
    joint.read(row_of(prediction, said("label", {"mood": "bad"}), joint), is_labelled=True)


def test_of_several_tasks_one_must_be_named_and_it_must_take_the_kind(joint):
    prediction = predicted(ANSWERS, NAMES)
    refused("several tasks share this model; name one: {task: value}. They are: mood, names.", "label", "bad", joint,
            prediction, JOINT_LABELS)  # fmt: skip
    refused("the model has no task 'moood'. Did you mean 'mood'? It has: mood, names.", "label", {"moood": "bad"},
            joint, prediction, JOINT_LABELS)  # fmt: skip
    refused("'names' takes feedback of the kinds: spans, accepted; got 'label'.", "label", {"names": "PER"}, joint,
            prediction, JOINT_LABELS)  # fmt: skip
    refused("there is no label 'PER'. The labels are: good, bad.", "label", {"mood": "PER"}, joint, prediction,
            JOINT_LABELS)  # fmt: skip
    refused("accepted must be true or false; got 'yes'.", "accepted", {"mood": "yes"}, joint, prediction, JOINT_LABELS)
