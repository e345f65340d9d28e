"""conll: sentences with their first line, tags in IOB2, faults by line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from burnish.core.errors import UserError
from burnish.data.sources import _blocks
from burnish.data.sources._contract import BadRow, Row
from burnish.data.sources.conll import Conll

CONLL2003 = """-DOCSTART- -X- O O

EU NNP I-NP I-ORG
rejects VBZ I-VP O
German JJ I-NP I-MISC

Paris NNP I-NP I-LOC
London NNP B-NP B-LOC
"""


def saved(folder: Path, text: str) -> Path:
    path = folder / "eng.train"
    path.write_bytes(text.encode())
    return path


def read(folder: Path, text: str, **fields: Any) -> list[Row | BadRow]:
    return list(Conll(path=saved(folder, text), **fields).rows())


def problem_in(folder: Path, text: str, **fields: Any) -> str:
    with pytest.raises(UserError) as caught:
        read(folder, text, **fields)
    return str(caught.value).removeprefix(str(folder / "eng.train"))


def test_conll2003_is_read_as_it_was_published(tmp_path: Path) -> None:
    assert read(tmp_path, CONLL2003) == [
        Row(3, {"tokens": ["EU", "rejects", "German"], "tags": ["B-ORG", "O", "B-MISC"]}),
        Row(7, {"tokens": ["Paris", "London"], "tags": ["B-LOC", "B-LOC"]}),
    ]


def test_facts_tell_the_scheme(tmp_path: Path) -> None:
    facts = Conll(path=saved(tmp_path, CONLL2003)).facts()
    assert facts == {"encoding": "UTF-8", "line ends": r"\n", "tag scheme": "iob1"}


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("南 B-LOC\n京 M-LOC\n市 E-LOC\n我 O\n", "bmes"),
        ("南 B-LOC\n京 I-LOC\n市 E-LOC\n我 O\n", "bioes"),
        ("南 B-LOC\n京 I-LOC\n市 I-LOC\n我 O\n", "iob2"),
        ("南 I-LOC\n京 I-LOC\n市 I-LOC\n我 O\n", "iob1"),
    ],
)
def test_every_scheme_becomes_iob2(tmp_path: Path, text: str, scheme: str) -> None:
    source = Conll(path=saved(tmp_path, text))
    assert list(source.rows()) == [Row(1, {"tokens": list("南京市我"), "tags": ["B-LOC", "I-LOC", "I-LOC", "O"]})]
    assert source.facts()["tag scheme"] == scheme


def test_plain_tags_stay(tmp_path: Path) -> None:
    assert read(tmp_path, "dogs NNS\nbark VBP\n") == [Row(1, {"tokens": ["dogs", "bark"], "tags": ["NNS", "VBP"]})]


def test_a_scheme_that_is_set_is_obeyed(tmp_path: Path) -> None:
    text = "南 B-LOC\n京 I-LOC\n"
    assert read(tmp_path, text, scheme="plain") == [Row(1, {"tokens": ["南", "京"], "tags": ["B-LOC", "I-LOC"]})]
    rows = read(tmp_path, "a O\n\n南 B-LOC\n京 E-LOC\n", scheme="iob2")
    assert rows[1] == BadRow(
        3,
        "the scheme iob2 has no tag 'E-LOC'; it has O and B-…, I-…; "
        "set `scheme` to the one that the file uses, or to auto.",
    )
    assert Conll(path=saved(tmp_path, text), scheme="bmes").facts()["tag scheme"] == "bmes"


def test_a_broken_transition_is_repaired_and_counted(tmp_path: Path) -> None:
    source = Conll(path=saved(tmp_path, "a B-X\nb O\nc I-X\nd B-X\n\ne B-Y\nf I-X\n"))
    assert [row.values["tags"] for row in source.rows() if isinstance(row, Row)] == [
        ["B-X", "O", "B-X", "B-X"],
        ["B-Y", "B-X"],
    ]
    assert source.facts()["tags repaired"] == "2 go on with a span that nothing began; each now begins one"


def test_columns_can_be_chosen(tmp_path: Path) -> None:
    rows = read(tmp_path, CONLL2003, tag_column=1)
    assert rows[0] == Row(3, {"tokens": ["EU", "rejects", "German"], "tags": ["NNP", "VBZ", "JJ"]})
    assert read(tmp_path, "B-X 1 a\nO 2 b\n", token_column=2, tag_column=0) == [
        Row(1, {"tokens": ["a", "b"], "tags": ["B-X", "O"]})
    ]


def test_between_tabs_a_word_may_be_a_space(tmp_path: Path) -> None:
    rows = read(tmp_path, "a\tB-X\n \tI-X\n\u3000\tI-X\nb c\tI-X\n")
    assert rows == [Row(1, {"tokens": ["a", " ", "\u3000", "b c"], "tags": ["B-X", "I-X", "I-X", "I-X"]})]


def test_runs_of_spaces_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, "\r\na   B-X\r\nb I-X \r\n  \r\nc O\r\n") == [
        Row(2, {"tokens": ["a", "b"], "tags": ["B-X", "I-X"]}),
        Row(5, {"tokens": ["c"], "tags": ["O"]}),
    ]


def test_comments_are_skipped_only_when_asked_and_only_before_the_first_word(tmp_path: Path) -> None:
    text = "# id\n#\na O\n# O\n\nb O\n"
    assert read(tmp_path, text, comments=True) == [
        Row(3, {"tokens": ["a", "#"], "tags": ["O", "O"]}),
        Row(6, {"tokens": ["b"], "tags": ["O"]}),
    ]
    assert read(tmp_path, "# O\na O\n") == [Row(1, {"tokens": ["#", "a"], "tags": ["O", "O"]})]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (
            "c X O",
            BadRow(
                4,
                "the line has 3 columns where the lines above have 2; give each word the same columns, and part "
                "sentences by a blank line.",
            ),
        ),
        ("\tO", BadRow(4, "the word is empty; fill it in, or remove the line.")),
        ("c\t", BadRow(4, "the tag is empty; fill it in, or remove the line.")),
        (
            "c\0 O",
            BadRow(4, "the line holds a NUL character (U+0000), which is not text; export the file again without it."),
        ),
    ],
)
def test_a_bad_line_is_the_fault_of_its_sentence_only(tmp_path: Path, line: str, fault: BadRow) -> None:
    assert read(tmp_path, f"a O\n\nb O\n{line}\nd O\nworse\n\ne O\n") == [
        Row(1, {"tokens": ["a"], "tags": ["O"]}),
        fault,
        Row(8, {"tokens": ["e"], "tags": ["O"]}),
    ]


def test_a_file_without_blank_lines_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_blocks, "SENTENCE_LIMIT", 3)
    assert read(tmp_path, "a O\n" * 5 + "\nb O\n") == [
        BadRow(1, "the sentence has over 3 words; put a blank line after each sentence."),
        Row(7, {"tokens": ["b"], "tags": ["O"]}),
    ]


@pytest.mark.parametrize(
    ("text", "fields", "problem"),
    [
        (
            "word\nword\n",
            {},
            (
                ":1: token_column 0 and tag_column -1 are the same column, for the line has 1; put a tab or a "
                "space between a word and its tag, or choose others."
            ),
        ),
        ("a O\n", {"tag_column": 2}, ":1: there is no column 2 for tag_column; the line has 2, counted from 0."),
        ("a O\n", {"token_column": -3}, ":1: there is no column -3 for token_column; the line has 2, counted from 0."),
        ("-DOCSTART- O\n\n", {}, ": has no sentences."),
        ("\n", {}, ": has no sentences."),
        ("", {}, ": the file is empty (0 bytes)."),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, text: str, fields: dict[str, Any], problem: str
) -> None:
    assert problem_in(tmp_path, text, **fields) == problem


def test_an_encoding_is_found_or_named(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_bytes("中 B-LOC\n国 I-LOC\n的 O\n".encode("gbk"))
    assert list(Conll(path=path).rows()) == [Row(1, {"tokens": ["中", "国", "的"], "tags": ["B-LOC", "I-LOC", "O"]})]
    with pytest.raises(UserError, match="is not UTF-8"):
        list(Conll(path=path, encoding="utf-8").rows())
    assert Conll(path=path).place() == str(path)
