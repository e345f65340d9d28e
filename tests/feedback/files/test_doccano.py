"""doccano's own exports, as `backend/data_export` of doccano 1.8 writes them."""

import json
import re
from pathlib import Path

import pytest
from tests.feedback.said import classified, found, predicted, said

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.feedback.corrections import check
from burnish.feedback.files.exchange import export_file, import_file

SAMPLES = Path(__file__).parent / "samples"


def task(name):
    return Shelf("tasks").build(name)


def read(path, of, labels=(), row=None):
    def checked(draft):
        check(draft.kind, draft.value, task(of), labels, predicted({}, row))

    return import_file(path, "doccano", task(of), checked if labels else lambda draft: None)


def written(tmp_path, of, *items):
    path = tmp_path / "out.jsonl"
    export_file(path, "doccano", task(of), items)
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def refused(tmp_path, of, row, sentence):
    path = tmp_path / "bad.jsonl"
    path.write_text(json.dumps(row), "utf-8")
    with pytest.raises(UserError, match=re.escape(sentence)):
        read(path, of)


def test_an_export_of_text_classification_is_read():
    drafts = read(SAMPLES / "doccano_classification.jsonl", "classification", ("refund", "billing"))
    assert [(one.line, one.prediction, one.kind, one.value) for one in drafts] == [
        (1, "p1", "label", "refund"),
        (2, "p2", "label", "billing"),
    ]
    assert [one.comment for one in drafts] == ["", "second look needed\n金额也不对"]
    assert drafts.n_unlabelled == 1


def test_the_same_export_gives_lists_to_a_task_of_several_labels():
    drafts = read(SAMPLES / "doccano_classification.jsonl", "multilabel")
    assert [one.value for one in drafts] == [["refund"], ["billing"]]


def test_an_export_of_sequence_labelling_is_read_with_its_offsets():
    text = "Ada lives in 北京 👍 with Bob"
    [draft] = read(SAMPLES / "doccano_spans.jsonl", "tokens", ("PER", "LOC"), {"text": text})
    assert draft.kind == "spans"
    assert [text[start:end] for start, end, _ in draft.value] == ["Ada", "北京", "Bob"]


def test_an_export_with_relations_gives_its_entities():
    text = "Google was founded on September 4, 1998"
    [draft] = read(SAMPLES / "doccano_relations.jsonl", "tokens", ("ORG", "DATE"), {"text": text})
    assert [(one["start_offset"], one["label"]) for one in draft.value] == [(0, "ORG"), (22, "DATE")]


def test_an_export_of_sequence_to_sequence_is_read():
    [draft] = read(SAMPLES / "doccano_seq2seq.jsonl", "seq2seq")
    assert (draft.kind, draft.value) == ("label", "再见。")


def test_what_is_exported_is_what_doccano_imports(tmp_path):
    rows = written(
        tmp_path,
        "classification",
        (predicted(classified("refund"), {"text": "Where?", "text_pair": "此处"}), None),
        (predicted(classified("refund"), {"text": "Why?"}, id="p2"), said("label", "billing")),
        (predicted(None, {"text": "How?"}, id="p3"), None),
        (predicted(classified("refund"), {"text": "Who?"}, id="p4"), said("accepted", False)),
    )
    assert rows == [
        {"text": "Where?", "label": ["refund"], "prediction": "p1", "text_pair": "此处"},
        {"text": "Why?", "label": ["billing"], "prediction": "p2"},
        {"text": "How?", "label": [], "prediction": "p3"},
        {"text": "Who?", "label": [], "prediction": "p4"},
    ]
    [spans] = written(tmp_path, "tokens", (predicted(found((0, 3, "PER")), {"text": "Ada"}), None))
    assert spans == {"text": "Ada", "label": [[0, 3, "PER"]], "prediction": "p1"}


def test_rows_that_cannot_be_meant_are_told(tmp_path):
    refused(tmp_path, "classification", {"text": "a", "prediction": "p1", "lable": ["x"]},
            "bad.jsonl:1: the row has no 'label'. Did you mean 'lable'?")  # fmt: skip
    refused(tmp_path, "classification", {"text": "a", "prediction": "p1", "label": "x"},
            "bad.jsonl:1: 'label' must be a list, as doccano exports it in JSONL; got 'x'.")  # fmt: skip
    refused(tmp_path, "classification", {"text": "a", "label": ["x"]},
            "bad.jsonl:1: the row has no 'prediction'; label rows that were exported from here.")  # fmt: skip
    refused(tmp_path, "classification", {"text": "a", "prediction": "p1", "label": ["x", "y"]},
            "bad.jsonl:1: has 2 labels where the task takes one; keep one of them.")  # fmt: skip
    refused(tmp_path, "matching", {},
            "doccano holds labels, spans and texts, and answers of the task 'matching' are none of these; "
            "use csv, jsonl or label_studio.")  # fmt: skip
