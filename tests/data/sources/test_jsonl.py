"""jsonl: every layout of JSON rows, strictly, with the line of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.core.errors import UserError
from burnish.data import lines
from burnish.data.sources import _document
from burnish.data.sources._contract import BadRow, Row
from burnish.data.sources.jsonl import Jsonl


def saved(folder: Path, text: str, name: str = "train.jsonl") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def read(folder: Path, text: str, name: str = "train.jsonl", **fields: Any) -> list[Row | BadRow]:
    return list(Jsonl(path=saved(folder, text, name), **fields).rows())


def problem_in(folder: Path, text: str, name: str = "train.json", **fields: Any) -> str:
    with pytest.raises(UserError) as caught:
        read(folder, text, name, **fields)
    return str(caught.value).removeprefix(str(folder / name))


CLINC = '{"oos": [["x", "oos"]],\n "train": [\n  ["hi there", "greet"],\n  ["bye", "part"]\n ]}\n'


def test_one_object_a_line(tmp_path: Path) -> None:
    text = '{"text": "a", "label": {"x": {"a": [[0, 0]]}}}\r\n\n{"text": "😀"}'
    assert read(tmp_path, text) == [
        Row(1, {"text": "a", "label": {"x": {"a": [[0, 0]]}}}),
        Row(3, {"text": "😀"}),
    ]


def test_one_object_a_line_is_also_read_from_json(tmp_path: Path) -> None:
    assert read(tmp_path, '{"text": "a"}\n{"text": "b"}\n', "dev.json") == [
        Row(1, {"text": "a"}),
        Row(2, {"text": "b"}),
    ]


def test_a_single_row_with_lists_is_a_row(tmp_path: Path) -> None:
    row = {"tokens": ["a", "b"], "spans": [[0, 1, "x"]]}
    assert read(tmp_path, json.dumps(row), "one.json") == [Row(1, row)]
    assert read(tmp_path, CLINC.replace("\n", ""), "one.jsonl") == [Row(1, json.loads(CLINC))]


def test_an_array_gives_each_object_its_line(tmp_path: Path) -> None:
    expected = [Row(2, {"text": "a"}), Row(3, {"text": "b"}), Row(6, {"text": "c"})]
    assert read(tmp_path, '[\n{"text": "a"},\n{"text": "b"}\n,\n\n  {"text": "c"}]\n', "a.json") == expected
    assert read(tmp_path, '[{"text": "a"}, {"text": "b"}]', "a.json") == [Row(1, {"text": "a"}), Row(1, {"text": "b"})]


def test_an_array_counts_every_kind_of_line_end(tmp_path: Path) -> None:
    assert [row.line for row in read(tmp_path, '[\r\n{"a": 1},\r{"a": 2},\n{"a": 3}]', "a.json")] == [2, 3, 4]


def test_a_key_chooses_one_array_of_an_object(tmp_path: Path) -> None:
    assert read(tmp_path, CLINC, "data.json", key="train", names=["text", "label"]) == [
        Row(3, {"text": "hi there", "label": "greet"}),
        Row(4, {"text": "bye", "label": "part"}),
    ]
    assert len(read(tmp_path, CLINC, "data.json", key="oos", names=["text", "label"])) == 1


def test_arrays_on_lines_take_their_names(tmp_path: Path) -> None:
    assert read(tmp_path, '["a", 1]\n["b", 2]\n', names=["text", "label"]) == [
        Row(1, {"text": "a", "label": 1}),
        Row(2, {"text": "b", "label": 2}),
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"text": "a"', "column 13: not JSON (Expecting ',' delimiter); write one JSON object on each line."),
        ('{"text": a}', "column 10: not JSON (Expecting value); write one JSON object on each line."),
        ('{"a": 1} {"a": 2}', "column 9: something follows the JSON value; write one JSON object on each line."),
        (
            '{"text": "a", "text": "b"}',
            "the key 'text' stands twice in one object; write one JSON object on each line.",
        ),
        ('{"x": {"k": 1, "k": 2}}', "the key 'k' stands twice in one object; write one JSON object on each line."),
        (
            '{"text": NaN}',
            "NaN is not a JSON value; write null, or leave the key out; write one JSON object on each line.",
        ),
        (
            '{"text": -Infinity}',
            ("-Infinity is not a JSON value; write null, or leave the key out; write one JSON object on each line."),
        ),
        ('{"text": 1e400}', "the number 1e400 is too large; write one JSON object on each line."),
        (
            '{"text": "\\ud83d"}',
            (
                "the text holds \\ud83d, half of a surrogate pair, which is not a character; "
                "write one JSON object on each line."
            ),
        ),
        ('"alone"', "the row is a string, not an object."),
        ("7", "the row is a number, not an object."),
        ("null", "the row is null, not an object."),
        ("true", "the row is true or false, not an object."),
        ('["a", "b"]', "the row is an array; name its columns with `names`, e.g. names: [text, label]."),
    ],
)
def test_a_bad_line_is_a_fault_and_reading_goes_on(tmp_path: Path, line: str, problem: str) -> None:
    good = '{"text": "good"}'
    rows = read(tmp_path, f"{good}\n{line}\n{good}\n")
    assert rows == [Row(1, {"text": "good"}), BadRow(2, problem), Row(3, {"text": "good"})]


def test_numbers_of_thousands_of_digits_are_a_fault(tmp_path: Path) -> None:
    row = read(tmp_path, '{"a": 1}\n{"text": ' + "9" * 10_000 + "}\n")[1]
    assert isinstance(row, BadRow)
    assert row.problem.startswith("the JSON holds a number that is too long")


def test_deep_nesting_is_a_fault(tmp_path: Path) -> None:
    row = read(tmp_path, '{"a": 1}\n' + '{"a":' * 100_000 + "\n")[1]
    assert row == BadRow(2, "the JSON is nested too deeply; write one JSON object on each line.")


def test_a_whole_surrogate_pair_is_a_character(tmp_path: Path) -> None:
    assert read(tmp_path, '{"text": "\\ud83d\\ude00"}\n')[0] == Row(1, {"text": "😀"})


def test_a_row_of_another_width_than_names_is_a_fault(tmp_path: Path) -> None:
    rows = read(tmp_path, '["a", 1]\n["b"]\n', names=["text", "label"])
    assert rows[1] == BadRow(2, "the row has 1 values, but `names` has 2.")


def test_a_nul_or_an_endless_line_is_a_fault(tmp_path: Path) -> None:
    row = read(tmp_path, '{"a": 1}\n{"a": "\0"}\n')[1]
    assert isinstance(row, BadRow)
    assert "holds a NUL character" in row.problem


@pytest.mark.parametrize(
    ("text", "problem", "fields"),
    [
        (CLINC, ": there is no key 'trian'. Did you mean 'train'? It has: oos, train.", {"key": "trian"}),
        (CLINC, ": is one object with the keys oos, train; say which holds the rows, e.g. {name: jsonl, path: ", {}),
        ('{"train": [["a", "b"]]}', ": is one object with the keys train; say which holds the rows", {}),
        ('{"train": {"text": ["a"]}}', ": the key 'train' holds an object, not an array.", {"key": "train"}),
        ('[{"a": 1}]', ": is an array, so key 'train' has nothing to choose; leave it out.", {"key": "train"}),
        (
            '{"a": 1}\n{"a": 2}\n',
            (":2: something follows the end of the JSON value; a file with one object on each line needs no `key`."),
            {"key": "a"},
        ),
        ('{"a": [],\n "a": []}', ":2: the key 'a' stands twice in one object; a file with one", {"key": "a"}),
        ('{"a": [1,\n', ":2: not JSON (Expecting value).", {}),
        ('{"a" [1]}\n{', ":1: not JSON (expected a key in double quotes, then a colon).", {}),
        ('{"a": [1,]}\n{', ":1: not JSON", {}),
        ("7", ": is neither an array of rows nor an object that holds one.", {"key": "a"}),
        ("{}", ": is neither an array of rows nor an object that holds one.", {"key": "a"}),
        ("[]", ": has no rows.", {}),
        ("[\n]", ": has no rows.", {}),
        ("\n \n", ": has no rows.", {}),
        ("", ": the file is empty (0 bytes).", {}),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, text: str, problem: str, fields: dict[str, Any]
) -> None:
    assert problem_in(tmp_path, text, **fields).startswith(problem)


@pytest.mark.parametrize(
    ("tail", "line", "problem"),
    [
        ('{"a": }\n]', 3, "not JSON (Expecting value); nothing after it was read."),
        ('{"a": 1, "a": 2}\n]', 3, "the key 'a' stands twice in one object; nothing after it was read."),
        ('{"a": 1}\n{"a": 1}]', 4, "not JSON (expected ',' or ']'); nothing after it was read."),
        ('{"a": 1},\n]', 3, "not JSON (a comma stands before ']'); nothing after it was read."),
        ('{"a": 1}]\n[{"a": 2}]', 4, "something follows the end of the JSON value; nothing after it was read."),
        ('{"a": 1}', 3, "not JSON (expected ',' or ']'); nothing after it was read."),
    ],
)
def test_a_fault_in_an_array_names_its_line_and_ends_the_reading(
    tmp_path: Path, tail: str, line: int, problem: str
) -> None:
    rows = read(tmp_path, '[\n{"a": 0},\n' + tail, "a.json")
    assert rows[0] == Row(2, {"a": 0})
    assert rows[-1] == BadRow(line, problem)


def test_a_document_too_large_for_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_document, "DOCUMENT_LIMIT_BYTES", 2**20)
    message = problem_in(tmp_path, "[" + " " * (3 * 2**20) + "]")
    assert message == (
        ": is one JSON value of 3 MB, which must lie in memory whole (at most 1 MB); "
        "write one object on each line (.jsonl) instead."
    )


def test_an_array_on_one_line_may_be_longer_than_a_line_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINE_LIMIT", 20)
    assert len(read(tmp_path, '[{"text": "some words"}, {"text": "more"}]', "a.json")) == 2
    row = read(tmp_path, '{"text": "some words and more"}\n{"a": 1}\n')[0]
    assert row == BadRow(1, "the line has over 20 characters; break it up, or remove it.")


def test_facts_tell_the_layout(tmp_path: Path) -> None:
    assert Jsonl(path=saved(tmp_path, '{"a": 1}\n')).facts()["layout"] == "one object a line"
    assert Jsonl(path=saved(tmp_path, CLINC), key="train").facts()["layout"] == "one JSON value"


def test_an_encoding_is_found_or_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"text": "服务很好，下次还来"}\n'.encode("gbk"))
    assert list(Jsonl(path=path).rows()) == [Row(1, {"text": "服务很好，下次还来"})]
    with pytest.raises(UserError, match="is not UTF-8"):
        list(Jsonl(path=path, encoding="utf-8").rows())


def test_place_and_recipe(tmp_path: Path) -> None:
    source = Jsonl(path=Path("data.json"), key="train", names=["text", "label"])
    assert source.place() == "data.json"
    assert source.as_recipe() == {
        "name": "jsonl", "path": "data.json", "encoding": "auto", "key": "train", "names": ["text", "label"],
    }  # fmt: skip


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text(st.characters(blacklist_categories=("Cs",)), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abé中", max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.text("abé中", max_size=3), JSON, max_size=3), min_size=1, max_size=5), st.booleans())
def test_every_layout_gives_the_same_rows(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], is_ascii: bool
) -> None:
    folder = tmp_path_factory.mktemp("json")
    texts = {
        "lines.jsonl": "\n".join(json.dumps(row, ensure_ascii=is_ascii) for row in rows),
        "array.json": json.dumps(rows, ensure_ascii=is_ascii, indent=1),
        "key.json": json.dumps({"a": [1], "k": rows}, ensure_ascii=is_ascii),
    }
    for name, text in texts.items():
        fields = {"key": "k"} if name == "key.json" else {}
        found = list(Jsonl(path=saved(folder, text, name), encoding="utf-8", **fields).rows())
        assert [row.values for row in found if isinstance(row, Row)] == rows
