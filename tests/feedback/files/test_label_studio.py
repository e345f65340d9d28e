"""Label Studio's own exports: JSON of annotated tasks, as its guide shows them."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from tests.feedback.said import LABELS, classified, found, predicted, said

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.feedback.corrections import check
from burnish.feedback.files.exchange import export_file, import_file
from burnish.feedback.files.label_studio import config

SAMPLES = Path(__file__).parent / "samples"
TEXT = "Ada lives in 北京 👍 with Bob"


def task(name, **settings):
    return Shelf("tasks").build({"name": name, **settings})


def read(path, of, labels=(), row=None):
    def checked(draft):
        check(draft.kind, draft.value, of, labels, predicted({}, row))

    return import_file(path, "label_studio", of, checked if labels else lambda draft: None)


def tasks_file(folder, *tasks):
    path = folder / "tasks.json"
    path.write_text(json.dumps(tasks, ensure_ascii=False), "utf-8")
    return path


def annotated(kind, **value):
    result = {"id": "a", "from_name": "any", "to_name": "text", "type": kind, "value": value}
    return {"data": {"text": TEXT, "prediction": "p1"}, "annotations": [{"id": 5, "result": [result]}]}


def test_choices_are_read_one_draft_for_each_person_and_skipped_tasks_are_counted():
    drafts = read(SAMPLES / "label_studio_choices.json", task("classification"), LABELS)
    assert [(one.prediction, one.kind, one.value, one.by) for one in drafts] == [
        ("p1", "label", "billing", "2"),
        ("p1", "label", "refund", "li@example.com"),
    ]
    assert drafts.n_unlabelled == 1
    assert {one.line for one in drafts} == {2}  # where the task begins


def test_spans_are_read_whether_their_offsets_count_characters_or_utf_16_units():
    # 👍 is two units of UTF-16: the sample's last span is as older versions wrote it
    [draft] = read(SAMPLES / "label_studio_spans.json", task("tokens"), ("PER", "LOC"), {"text": TEXT})
    assert [(one["start"], one["end"], TEXT[one["start"] : one["end"]]) for one in draft.value] == [
        (0, 3, "Ada"),
        (13, 15, "北京"),
        (23, 26, "Bob"),
    ]


def test_a_surface_that_stands_nowhere_is_left_to_the_check(tmp_path):
    path = tasks_file(tmp_path, annotated("labels", start=0, end=3, text="Eve", labels=["PER"]))
    with pytest.raises(UserError, match=r"should be 'Eve', but the text has 'Ada' there"):
        read(path, task("tokens"), ("PER",), {"text": TEXT})


def test_no_spans_at_all_may_be_said_and_so_may_no_label_of_several(tmp_path):
    path = tasks_file(tmp_path, {"data": {"text": TEXT, "prediction": "p1"}, "annotations": [{"id": 5, "result": []}]})
    assert [one.value for one in read(path, task("tokens"))] == [[]]
    assert [one.value for one in read(path, task("multilabel"))] == [[]]
    drafts = read(path, task("classification"))
    assert (len(drafts), drafts.n_unlabelled) == (0, 1)


@pytest.mark.parametrize(
    ("of", "one", "value"),
    [
        (task("matching", scale=[0, 5]), annotated("rating", rating=4), 4),
        (task("matching"), annotated("number", number=0.25), 0.25),
        (task("multilabel"), annotated("choices", choices=["a", "退款"]), ["a", "退款"]),
        (task("seq2seq"), annotated("textarea", text=["再见。"]), "再见。"),
        (task("seq2seq"), annotated("textarea", text="再见。"), "再见。"),
        (task("next_sentence"), annotated("choices", choices=["yes"]), "yes"),
    ],
)
def test_every_kind_of_result_is_read(of, one, value, tmp_path):
    [draft] = read(tasks_file(tmp_path, one), of)
    assert draft.value == value


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        ({"text": "a", "sentiment": "x"},
         "the row is no task with 'data' and 'annotations'; export as JSON, not JSON-MIN."),
        ({"data": {"text": "a"}, "annotations": [{"id": 5, "result": []}]},
         "'data' has no 'prediction'; label tasks that were exported from here."),
        (annotated("choices", choices=["a", "b"]),
         "an annotation has 2 answers where the task takes one; keep one of them."),
        (annotated("choices", rating=3), "a result of annotation 5 is not of its type (KeyError('choices'))."),
    ],
)  # fmt: skip
def test_tasks_that_cannot_be_meant_are_told(one, sentence, tmp_path):
    with pytest.raises(UserError, match=re.escape(f"tasks.json:1: {sentence}")):
        read(tasks_file(tmp_path, one), task("classification"))


def test_offsets_that_are_no_numbers_are_told(tmp_path):
    one = annotated("labels", start="/div[1]/text()[1]", end="/div[1]/text()[1]", text="Ada", labels=["PER"])
    with pytest.raises(UserError, match=r"tasks\.json:1: a result of annotation 5 is not of its type"):
        read(tasks_file(tmp_path, one), task("tokens"))


def exported(folder, of, *items):
    path = folder / "out.json"
    export_file(path, "label_studio", of, items)
    return json.loads(path.read_text("utf-8"))


def test_what_is_exported_is_what_label_studio_imports(tmp_path):
    first, second = exported(
        tmp_path,
        task("classification"),
        (predicted(classified("refund"), {"text": "Where?", "text_pair": "此处"}, confidence=0.75, version=7), None),
        (predicted(None, {"text": "Why?"}, id="p2"), said("label", "退款")),
    )
    assert first == {
        "data": {"text": "Where?", "text_pair": "此处", "prediction": "p1"},
        "predictions": [
            {
                "model_version": "intent:7",
                "score": 0.75,
                "result": [
                    {"id": "r0", "from_name": "answer", "to_name": "text", "type": "choices",
                     "value": {"choices": ["refund"]}}
                ],
            }
        ],
    }  # fmt: skip
    assert second["predictions"] == []
    assert second["annotations"][0]["completed_by"] == "ann"
    assert second["annotations"][0]["result"][0]["value"] == {"choices": ["退款"]}


def test_exported_spans_say_what_they_cover(tmp_path):
    [one] = exported(tmp_path, task("tokens"), (predicted(found((13, 15, "LOC")), {"text": TEXT}), None))
    assert one["predictions"][0]["result"][0]["value"] == {"start": 13, "end": 15, "text": "北京", "labels": ["LOC"]}


def test_scores_on_a_scale_of_stars_are_a_rating_and_others_a_number(tmp_path):
    row = {"text": "a", "text_pair": "b"}
    [stars] = exported(tmp_path, task("matching", scale=[0, 5]), (predicted({"score": 4.0}, row), None))
    [number] = exported(tmp_path, task("matching"), (predicted({"score": 0.4}, row), None))
    assert stars["predictions"][0]["result"][0]["value"] == {"rating": 4.0}
    assert number["predictions"][0]["result"][0]["value"] == {"number": 0.4}


@pytest.mark.parametrize(
    ("of", "tag", "inner"),
    [
        (task("classification"), "Choices", "Choice"),
        (task("multilabel"), "Choices", "Choice"),
        (task("tokens"), "Labels", "Label"),
        (task("next_sentence"), "Choices", "Choice"),
        (task("matching", scale=[1, 5]), "Rating", None),
        (task("matching"), "Number", None),
        (task("seq2seq"), "TextArea", None),
    ],
)
def test_the_labelling_interface_shows_every_text_and_offers_every_label(of, tag, inner):
    labels = ('a "b" <c>', "退款")
    view = ET.fromstring(config(of, labels))
    assert [(one.get("name"), one.get("value")) for one in view.findall("Text")] == [
        ("text" if place == 0 else name, f"${name}") for place, name in enumerate(of.texts)
    ]
    [control] = view.findall(tag)
    assert (control.get("name"), control.get("toName")) == ("answer", "text")
    if inner:
        wanted = ["yes", "no"] if of.part_name == "next_sentence" else list(labels)
        assert [one.get("value") for one in control.findall(inner)] == wanted
    assert control.get("choice") == {
        "multilabel": "multiple",
        "classification": "single",
        "next_sentence": "single",
    }.get(of.part_name)


def test_answers_that_it_cannot_hold_are_refused():
    sentence = (
        "Label Studio holds labels, spans, scores and texts, and answers of the task 'ranking' are none of these; "
        "use csv or jsonl."
    )
    with pytest.raises(UserError, match=re.escape(sentence)):
        config(task("ranking"), ())
