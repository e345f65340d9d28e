"""Columns are settled once, and every fault is told at once."""

from __future__ import annotations

import pytest

from burnish.core.errors import UserError
from burnish.data.columns import Wanted, map_columns

TEXT = Wanted("text", True, "the text to classify")
PAIR = Wanted("text_pair", False, "a second text")
LABEL = Wanted("label", True, "the class")
WANTED = [TEXT, PAIR, LABEL]


def faults_of(available: list[str], mapping: dict[str, str], carried: tuple[str, ...] = ()) -> tuple[str, ...]:
    with pytest.raises(UserError) as caught:
        map_columns(available, WANTED, mapping, carried=carried, where="train.csv:1")
    return caught.value.faults


def test_columns_of_the_same_name_need_no_mapping() -> None:
    found = map_columns(["label", "text", "id"], WANTED, {})
    assert found.pick({"label": "a", "text": "hello", "id": "7"}) == {"text": "hello", "text_pair": None, "label": "a"}


def test_a_mapping_renames() -> None:
    found = map_columns(["utterance", "intent"], WANTED, {"text": "utterance", "label": "intent"})
    assert found.pick({"utterance": "hi", "intent": "greet"}) == {"text": "hi", "text_pair": None, "label": "greet"}


def test_two_roles_may_share_a_column() -> None:
    found = map_columns(["text", "label"], WANTED, {"text_pair": "text"})
    assert found.pick({"text": "hi", "label": "a"})["text_pair"] == "hi"


def test_carried_columns_keep_their_names() -> None:
    found = map_columns(["text", "label", "author"], WANTED, {}, carried=["author", "label"])
    assert found.pick({"text": "t", "label": "a", "author": "x"}) == {
        "text": "t", "text_pair": None, "label": "a", "author": "x",
    }  # fmt: skip


def test_a_missing_required_column_is_a_sentence() -> None:
    assert faults_of(["utterance", "label"], {}) == (
        (
            "train.csv:1: there is no column 'text' (the text to classify). It has: utterance, label. "
            "Set data.columns: {text: <one of them>}."
        ),
    )


def test_a_near_miss_is_hinted() -> None:
    assert "Did you mean 'texts'?" in faults_of(["texts", "label"], {})[0]


def test_of_several_that_would_do_one_must_be_there() -> None:
    wanted = [Wanted("text", False, "the text", ("tokens",)), Wanted("tokens", False, "the words")]
    for present in (["text"], ["words", "tokens"]):
        assert set(map_columns(present, wanted, {}).columns) == {"text", "tokens"}
    assert map_columns(["words"], wanted, {"tokens": "words"}).columns["tokens"] == "words"
    with pytest.raises(UserError) as caught:
        map_columns(["texts", "spans"], wanted, {}, where="train.jsonl:1")
    assert str(caught.value) == (
        "train.jsonl:1: there is no column 'text' (the text), and no 'tokens' instead. Did you mean 'texts'? It has: "
        "texts, spans. Set data.columns: {text: <one of them>}."
    )


def test_a_mapping_to_a_missing_column_is_a_sentence_even_when_optional() -> None:
    assert faults_of(["text", "label", "second"], {"text_pair": "secnd"}) == (
        (
            "train.csv:1: there is no column 'secnd', which data.columns names for 'text_pair' (a second text). "
            "Did you mean 'second'? It has: text, label, second."
        ),
    )


def test_a_role_that_the_task_does_not_read_is_a_sentence() -> None:
    assert faults_of(["text", "label"], {"txt": "text"}) == (
        "data.columns: the task does not read 'txt'. Did you mean 'text'? It reads: text, text_pair, label.",
    )


def test_a_missing_carried_column_is_a_sentence() -> None:
    assert faults_of(["text", "label", "author"], {}, carried=("auther",)) == (
        "train.csv:1: there is no column 'auther'. Did you mean 'author'? It has: text, label, author.",
    )


def test_all_faults_come_at_once() -> None:
    assert len(faults_of(["a"], {"txt": "a"}, carried=("b",))) == 4


def test_a_later_row_without_a_required_column_is_refused() -> None:
    found = map_columns(["text", "label"], WANTED, {})
    with pytest.raises(ValueError, match=r"the row has no 'label'; it has: text\."):
        found.pick({"text": "hi"})


def test_a_later_row_may_bring_an_optional_column() -> None:
    found = map_columns(["text", "label"], WANTED, {})
    assert found.pick({"text": "a", "label": "b", "text_pair": "c"})["text_pair"] == "c"


def test_a_cell_that_is_null_is_not_a_missing_column() -> None:
    found = map_columns(["text", "label"], WANTED, {})
    assert found.pick({"text": None, "label": None}) == {"text": None, "text_pair": None, "label": None}
