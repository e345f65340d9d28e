import csv
import re

import pytest
from tests.feedback.said import classified, predicted, said

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.feedback.files.exchange import export_file, import_file


def task(name):
    return Shelf("tasks").build(name)


def read(folder, content, of="classification"):
    path = folder / "said.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return import_file(path, "csv", task(of), lambda draft: None)


def refused(folder, content, sentence, of="classification"):
    with pytest.raises(UserError, match=re.escape(sentence)):
        read(folder, content, of)


def test_the_file_says_all_that_a_person_needs_and_where_to_write(tmp_path):
    path = tmp_path / "said.csv"
    second = predicted(classified(), {"text": "钱呢", "text_pair": "这里"}, confidence=0.5)
    items = [
        (predicted(classified("refund", 0.875), {"text": "=1+1"}), None),
        (second, said("label", "退款", comment="@x")),
    ]
    export_file(path, "csv", task("classification"), items)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")  # a spreadsheet in China reads UTF-8 so
    with path.open(encoding="utf-8-sig", newline="") as file:
        first, second = csv.DictReader(file)
    assert list(first) == [
        "prediction", "text", "text_pair", "answer", "confidence",
        "label", "accepted", "comment", "by", "at", "feedback", "state", "reason",
    ]  # fmt: skip
    assert (first["prediction"], first["text"], first["answer"], first["label"]) == ("p1", "'=1+1", "refund", "")
    assert (second["text_pair"], second["label"], second["comment"], second["by"]) == ("这里", "退款", "'@x", "ann")
    assert (second["confidence"], second["at"], second["state"]) == ("0.5", "100.0", "accepted")


def test_other_columns_and_another_order_do_no_harm(tmp_path):
    [draft] = read(tmp_path, "label,__proto__,prediction,note\nrefund,x,p1,=1\n")
    assert (draft.line, draft.prediction, draft.kind, draft.value) == (2, "p1", "label", "refund")


@pytest.mark.parametrize(
    ("of", "column", "cell", "value"),
    [
        ("classification", "label", "007", "007"),
        ("classification", "label", "1E+20", "1E+20"),
        ("classification", "label", '"[""a""]"', '["a"]'),
        ("multilabel", "label", "a | b", ["a", "b"]),
        ("multilabel", "label", '"[""a|b""]"', ["a|b"]),
        ("multilabel", "label", "[]", []),
        ("retrieval", "label", "7", ["7"]),
        ("matching", "score", "0.5", 0.5),
        ("matching", "score", "high", "high"),
        ("tokens", "spans", '"[[0,3,""PER""]]"', [[0, 3, "PER"]]),
        ("classification", "accepted", "TRUE", True),
        ("classification", "accepted", "no", False),
        ("classification", "accepted", "perhaps", "perhaps"),
    ],
)
def test_a_cell_is_read_as_the_tasks_gold_has_it(of, column, cell, value, tmp_path):
    [draft] = read(tmp_path, f"prediction,{column}\np1,{cell}\n", of)
    assert (draft.kind, draft.value) == (column, value)


def test_a_cell_that_should_be_json_and_is_not_is_told(tmp_path):
    refused(tmp_path, 'prediction,spans\np1,"0-3 PER"\n', "said.csv:2: 'spans' must be JSON: ", "tokens")
    refused(tmp_path, "prediction,spans\np1,[[0\n", "said.csv:2: 'spans' must be JSON: not JSON", "tokens")
    refused(
        tmp_path,
        "prediction,spans\np1," + "[" * 100_000 + "\n",
        "'spans' must be JSON: the JSON is nested too deeply",
        "tokens",
    )


def test_without_the_column_that_names_the_answers_nothing_can_be_told(tmp_path):
    refused(
        tmp_path,
        "predicton,label\np1,refund\n",
        "there is no column 'prediction', which names the answers. Did you mean 'predicton'? It has: predicton, label.",
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("prediction,label\np1\n", "said.csv:2: the row has 1 cell where the file has 2 columns"),
        ('prediction,label\np1,"open\n', "said.csv:2: a double quote opens a cell here that is not closed"),
        ("prediction,label\np1,a\0b\n", "said.csv:2: the line holds a NUL character"),
        ("prediction,label,label\np1,a,b\n", "the header names the column 'label' twice"),
        ("prediction,,label\np1,a,b\n", "column 2 of the header has no name"),
        ("prediction,label\n", "there is only a header, no rows."),
        (f"prediction,label\np1,{'x' * 1_000_001}\n", "said.csv:2: a cell has over 1,000,000 characters"),
        ("", "said.csv"),
    ],
)
def test_broken_files_are_told_with_their_line(content, sentence, tmp_path):
    refused(tmp_path, content, sentence)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_spreadsheets_make_of_it_is_read(encoding, delimiter, end, tmp_path):
    rows = [
        ["prediction", "text", "label"],
        ["p1", "我想退款，请问怎么办理，谢谢", "退款"],
        ["p2", "我的账单有问题，请帮我看看", "账单"],
    ]
    content = "".join(delimiter.join(row) + end for row in rows).encode(encoding)
    assert [(one.prediction, one.value) for one in read(tmp_path, content)] == [("p1", "退款"), ("p2", "账单")]


def test_a_formula_in_a_foreign_file_is_only_text(tmp_path):
    [draft] = read(tmp_path, "prediction,label,comment\np1,=refund,＝1\n")
    assert (draft.value, draft.comment) == ("=refund", "＝1")


def test_very_many_columns_are_read(tmp_path):
    names = [f"c{i}" for i in range(100_000)]
    content = ",".join(["prediction", "label", *names]) + "\n" + ",".join(["p1", "refund", *names]) + "\n"
    assert [one.value for one in read(tmp_path, content)] == ["refund"]
