"""semeval: sentences with their relation, faults by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.core.errors import UserError
from burnish.data.sources._contract import BadRow, Row
from burnish.data.sources.semeval import Semeval

TEXT = """7\t"The <e1>child</e1> said "no" to the <e2>cradle</e2>."\r
Other\r
Comment: a note\r
\r
8\t"A <e1>ridge</e1> from the <e2>surge</e2>."\r
Entity-Origin(e1,e2)\r
Comment:\r
\r
"""


def read(folder: Path, text: str) -> list[Row | BadRow]:
    path = folder / "train.txt"
    path.write_bytes(text.encode())
    return list(Semeval(path=path).rows())


def values(number: str, text: str, label: str | None) -> dict[str, str | None]:
    return {"id": number, "text": text, "label": label}


def test_a_file_is_read_as_it_was_published(tmp_path: Path) -> None:
    assert read(tmp_path, TEXT) == [
        Row(1, values("7", 'The <e1>child</e1> said "no" to the <e2>cradle</e2>.', "Other")),
        Row(5, values("8", "A <e1>ridge</e1> from the <e2>surge</e2>.", "Entity-Origin(e1,e2)")),
    ]
    assert Semeval(path=tmp_path / "train.txt").facts() == {"encoding": "UTF-8", "line ends": r"\r\n"}


def test_sentences_without_relations_have_an_empty_label(tmp_path: Path) -> None:
    rows = read(tmp_path, '1\t"a"\n2\t"b"\n')
    assert rows == [Row(1, values("1", "a", None)), Row(2, values("2", "b", None))]


def test_a_line_of_no_known_form_is_told_and_the_next_sentence_is_read(tmp_path: Path) -> None:
    rows = read(tmp_path, '1\t"a"\nOther\nOther\n2 b\n3\t"c"\nOther\n')
    told = (
        "is neither a sentence (a number, a tab, and the sentence in quotes) nor the one line with the relation of the "
        "sentence above."
    )
    assert rows == [
        BadRow(3, f"'Other' {told}"),
        BadRow(4, f"'2 b' {told}"),
        Row(1, values("1", "a", "Other")),
        Row(5, values("3", "c", "Other")),
    ]


def test_a_line_that_is_no_text_is_told(tmp_path: Path) -> None:
    row = read(tmp_path, '1\t"a"\nOther\nComment: a long one\na\0b\n')[0]
    assert isinstance(row, BadRow)
    assert row.line == 4
    assert row.problem.startswith("the line holds a NUL character")


def test_the_encoding_is_a_setting(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes('1\t"caf\xe9"\nOther\n'.encode("latin-1"))
    (row,) = Semeval(path=path, encoding="latin-1").rows()
    assert isinstance(row, Row)
    assert row.values["text"] == "café"


def test_a_file_of_comments_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, "Comment: nothing here\n")
    assert str(caught.value) == f"{tmp_path / 'train.txt'}: has no sentences."
