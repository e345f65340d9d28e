"""squad: questions under paragraphs under articles, faults by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.core.errors import UserError
from burnish.data.sources._contract import BadRow, Row
from burnish.data.sources.squad import Squad

TEXT = """{"version": "1",
 "data": [
  {"title": "Oslo", "paragraphs": [
    {"id": "P1", "context": "In Oslo.", "qas": [
      {"id": "q1", "question": "Where?", "answers": [{"text": "Oslo", "answer_start": 3}]},
      {"id": "q2", "question": "Who?", "is_impossible": true, "plausible_answers": [], "answers": []}
    ]},
    {"context": "北京", "qas": [{"id": "q3", "question": "哪里？", "answers": []}]}
  ]}
 ]
}
"""


def read(folder: Path, text: str, most_rows: int | None = None) -> list[Row | BadRow]:
    (folder / "train.json").write_text(text, "utf-8")
    return list(Squad(path=folder / "train.json", most_rows=most_rows).rows())


def test_every_question_is_a_row_with_its_line_id_and_paragraph(tmp_path: Path) -> None:
    oslo = {"context": "In Oslo.", "title": "Oslo", "paragraph": "P1"}
    answers = [{"text": "Oslo", "answer_start": 3}]
    assert read(tmp_path, TEXT) == [
        Row(5, {"id": "q1", "question": "Where?", "answers": answers, **oslo}),
        Row(6, {"id": "q2", "question": "Who?", "answers": [], **oslo}),
        Row(
            8,
            {"id": "q3", "question": "哪里？", "context": "北京", "answers": [], "title": "Oslo", "paragraph": "2"},
        ),
    ]


def test_only_the_first_questions_are_read_when_that_is_asked(tmp_path: Path) -> None:
    assert [row.line for row in read(tmp_path, TEXT, most_rows=2)] == [5, 6]
    facts = Squad(path=tmp_path / "train.json", most_rows=2).facts()
    assert facts["rows read"] == "at most 2"
    assert "rows read" not in Squad(path=tmp_path / "train.json").facts()


def test_what_is_not_of_that_form_is_told_with_its_line(tmp_path: Path) -> None:
    text = '{"data": [\n{"title": "a"},\n{"paragraphs": [\n{"context": "b"},\n7]}]}'
    assert read(tmp_path, text) == [
        BadRow(2, "the article has no list 'paragraphs'."),
        BadRow(4, "the paragraph has no list 'qas'."),
        BadRow(5, "'paragraphs' holds something that is not an object."),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[1]", ": is not in the form of SQuAD: one object whose 'data' is a list of articles."),
        ('{"data": 5}', ": is not in the form of SQuAD: one object whose 'data' is a list of articles."),
        ('{"data": []}', ": has no questions."),
        ('{"data": [}', ":1: not JSON (Expecting value)."),
    ],
)
def test_a_file_without_questions_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, text)
    assert str(caught.value) == f"{tmp_path / 'train.json'}{problem}"
