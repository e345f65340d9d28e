"""text and sentences: documents of plain text with their lines, and what is no text."""

import gzip

import pytest

from burnish.core.errors import UserError
from burnish.data.opening import open_sources
from burnish.data.sources import _documents
from burnish.data.sources._contract import BadRow, Row
from burnish.data.sources.sentences import Sentences
from burnish.data.sources.text import Text

PARAGRAPHS = "\n One.\nTwo.\n\n\nThree.\n"


def saved(folder, text, name="corpus.txt"):
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def told(source):
    return [(row.line, row.values["text"], row.values["document"]) for row in source.rows()]


def test_blank_lines_part_documents_where_there_are_any(tmp_path):
    assert told(Text(path=saved(tmp_path, PARAGRAPHS))) == [(2, "One.\nTwo.", "1"), (6, "Three.", "2")]
    assert told(Text(path=saved(tmp_path, "One.\nTwo.\n"))) == [(1, "One.", "1"), (2, "Two.", "2")]


def test_what_a_document_is_can_be_said(tmp_path):
    path = saved(tmp_path, PARAGRAPHS)
    assert [text for _, text, _ in told(Text(path=path, document="line"))] == ["One.", "Two.", "Three."]
    assert told(Text(path=saved(tmp_path, "a\nb"), document="paragraph")) == [(1, "a\nb", "1")]


def test_several_pieces_make_a_document_and_the_last_may_have_fewer(tmp_path):
    path = saved(tmp_path, "a\nb\nc\nd\ne\n")
    assert told(Text(path=path, join=2)) == [(1, "a\nb", "1"), (3, "c\nd", "2"), (5, "e", "3")]
    assert Text(path=path, join=2).facts()["a document"] == "2 lines, one after the other"
    joined = Text(path=saved(tmp_path, "a\nb\n\nc\n\nd"), join=2)
    assert told(joined) == [(1, "a\nb\nc", "1"), (6, "d", "2")]


def test_a_document_that_grows_too_long_goes_on_in_the_next_row(tmp_path, monkeypatch):
    monkeypatch.setattr(_documents, "MOST_CHARACTERS", 5)
    source = Text(path=saved(tmp_path, "aaa\nbb\ncccc\n\nd"))
    assert told(source) == [(1, "aaa\nbb", "1"), (3, "cccc", "1"), (5, "d", "2")]


@pytest.mark.parametrize("name", ["corpus.txt", "corpus.txt.gz"])
def test_a_suffix_tells_plain_text_packed_or_not(tmp_path, name):
    content = "今天下雨。\n\n明天晴。".encode("gb18030")
    path = saved(tmp_path, gzip.compress(content) if name.endswith("gz") else content, name)
    (source,) = open_sources(str(path))
    assert [row.values["text"] for row in source.rows()] == ["今天下雨。", "明天晴。"]
    assert source.facts()["encoding"] == "GB18030"


def test_other_text_may_be_packed_too_and_tables_not(tmp_path):
    path = saved(tmp_path, gzip.compress(b"text,label\na,b\n"), "rows.csv.gz")
    assert [row.values for row in open_sources(str(path))[0].rows()] == [{"text": "a", "label": "b"}]
    with pytest.raises(UserError, match=r"the suffix '\.gz' does not tell the format"):
        open_sources(str(saved(tmp_path, b"x", "rows.parquet.gz")))


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        ("", "a.txt", "the file is empty (0 bytes)."),
        (" \n\n \n", "a.txt", "holds no text."),
        (b"\x89PNG\r\n\x1a\n\xff\xfe\xfd", "a.txt", "the byte 0x89 at offset 0 fits neither UTF-8 nor GB18030"),
        (gzip.compress(b"a" * 9999, mtime=0)[:-9], "a.txt.gz", "is no whole gzip archive ("),
        ("plain", "a.txt.gz", "is no whole gzip archive (Not a gzipped file"),
    ],
)
def test_what_is_no_text_is_told_in_one_sentence(tmp_path, content, name, sentence):
    with pytest.raises(UserError) as caught:
        list(Text(path=saved(tmp_path, content, name)).rows())
    assert sentence in str(caught.value)
    assert name in str(caught.value)


def test_a_line_that_is_no_text_is_a_bad_row(tmp_path):
    rows = list(Text(path=saved(tmp_path, "good\nb\0d\nso\n")).rows())
    assert [type(row) for row in rows] == [Row, BadRow, Row]
    assert rows[1].line == 2


def test_sentences_come_one_a_row_with_their_document(tmp_path):
    source = Sentences(path=saved(tmp_path, "One. Two.\nThree.\n\nFour.\n"))
    assert told(source) == [(1, "One.", "1"), (1, "Two.", "1"), (2, "Three.", "1"), (4, "Four.", "2")]


def paired(folder, n_documents=60):
    text = "\n\n".join("\n".join(f"Document {number} line {at}." for at in range(6)) for number in range(n_documents))
    return list(Sentences(path=saved(folder, text), pairs=True).rows())


def test_half_of_the_pairs_are_neighbours_and_the_others_of_two_documents(tmp_path):
    rows = paired(tmp_path)
    assert rows == paired(tmp_path)
    follows = [row.values["follows"] for row in rows]
    assert len(rows) == 60 * 5
    assert 0.4 < follows.count("yes") / len(rows) < 0.6
    for row in rows:
        (first, at), (second, next_) = (
            (words[1], int(words[3].rstrip(".")))
            for words in (row.values[name].split() for name in ("text", "text_pair"))
        )
        assert (second == first) == (row.values["follows"] == "yes")
        assert row.values["follows"] == "no" or next_ == at + 1
        assert row.values["document"] == str(int(first) + 1)


def test_pairs_need_two_documents(tmp_path):
    with pytest.raises(UserError, match=r"holds one document only, so there is no sentence of another to tell its own"):
        list(Sentences(path=saved(tmp_path, "One. Two."), document="paragraph", pairs=True).rows())
