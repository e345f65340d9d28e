"""The corpus: examples on disk, streamed in order or taken by index."""

import errno
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.core.errors import UserError
from burnish.data import corpus as corpus_module
from burnish.data.corpus import Corpus, CorpusWriter

SCHEMA = pa.schema([("text", pa.string()), ("label", pa.string()), ("line", pa.int32())])


def written(path, examples, schema=SCHEMA):
    with CorpusWriter(path, schema) as writer:
        for example in examples:
            writer.add(example)
    return Corpus(path)


def row(number, label="a"):
    return {"text": f"文 {number} 😀", "label": label, "line": number + 2}


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(corpus_module, "BATCH_ROWS", 7)


def test_examples_come_back_in_source_order(tmp_path, small_batches):
    examples = [row(number) for number in range(20)]
    corpus = written(tmp_path / "c.arrow", examples)
    assert len(corpus) == 20
    assert list(corpus) == examples
    assert [len(batch) for batch in corpus.batches()] == [7, 7, 6]
    assert list(corpus.values("line")) == list(range(2, 22))


@settings(max_examples=30, deadline=None)
@given(indices=st.lists(st.integers(0, 19), max_size=30))
def test_take_gives_any_examples_in_the_asked_order(tmp_path_factory, indices):
    path = tmp_path_factory.getbasetemp() / "taken.arrow"
    if not path.exists():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(corpus_module, "BATCH_ROWS", 6)
            written(path, [row(number) for number in range(20)])
    corpus = Corpus(path)
    assert corpus.take(indices) == [row(number) for number in indices]
    assert corpus.take(np.array(indices, np.int64)) == [row(number) for number in indices]


@pytest.mark.parametrize("indices", [[3], [-1]])
def test_take_refuses_rows_that_are_not_there(tmp_path, indices):
    corpus = written(tmp_path / "c.arrow", [row(0), row(1), row(2)])
    with pytest.raises(IndexError, match="the corpus has 3 examples; asked for"):
        corpus.take(indices)


def test_codes_count_in_sorted_labels_whatever_order_they_come_in(tmp_path, small_batches):
    labels = ["b", "c", None, "a", "b", "b", "c", "é", "a", None]
    corpus = written(tmp_path / "c.arrow", [row(at, label) for at, label in enumerate(labels)])
    codes, names = corpus.codes("label")
    assert names == ["a", "b", "c", "é"]
    assert codes.dtype == np.int32
    assert codes.tolist() == [1, 2, -1, 0, 1, 1, 2, 3, 0, -1]


def test_a_column_of_strings_or_numbers_is_an_array(tmp_path, small_batches):
    corpus = written(tmp_path / "c.arrow", [row(at, label) for at, label in enumerate(["x", None, "y"] * 5)])
    assert corpus.column("label").tolist() == ["x", None, "y"] * 5
    assert corpus.column("line").tolist() == list(range(2, 17))
    assert corpus.column("line").dtype == np.int32


def test_nested_columns_survive(tmp_path):
    schema = pa.schema([("text", pa.string()), ("words", pa.list_(pa.list_(pa.int32())))])
    example = {"text": "ab c", "words": [[0, 2], [3, 4]]}
    corpus = written(tmp_path / "c.arrow", [example, {"text": "", "words": []}], schema)
    assert corpus.column("words") == [[[0, 2], [3, 4]], []]
    assert corpus.take([0]) == [example]


def test_an_empty_corpus_is_a_corpus(tmp_path):
    corpus = written(tmp_path / "c.arrow", [])
    assert (len(corpus), list(corpus), corpus.take([])) == (0, [], [])
    assert corpus.column("line").tolist() == []
    assert corpus.column("label").tolist() == []
    assert corpus.codes("label")[1] == []


def test_long_texts_end_a_record_batch_early(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus_module, "BATCH_BYTES", 1000)
    corpus = written(tmp_path / "c.arrow", [{**row(at), "text": "x" * 200} for at in range(10)])
    assert max(len(batch) for batch in corpus.batches()) == 2


def test_nothing_appears_when_writing_fails(tmp_path):
    def stop():
        yield row(1)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        written(tmp_path / "c.arrow", stop())
    assert list(tmp_path.iterdir()) == []


def test_an_example_with_other_fields_is_refused(tmp_path):
    with (
        CorpusWriter(tmp_path / "c.arrow", SCHEMA) as writer,
        pytest.raises(
            ValueError, match=r"^an example has the fields \['text'\], the corpus \['label', 'line', 'text'\]$"
        ),
    ):
        writer.add({"text": "x"})


def test_half_a_character_is_named_with_its_line(tmp_path):
    bad = {"text": "bad \ud83d", "label": "a", "line": 9}
    sentence = (
        "line 9: 'text' holds half a character (a lone surrogate such as \\ud83d), which is no text; "
        "repair or remove the row."
    )
    with pytest.raises(UserError, match=f"^{re.escape(sentence)}$"):
        written(tmp_path / "c.arrow", [row(1), bad])
    assert list(tmp_path.iterdir()) == []


class FullDisk:
    """In place of Arrow's writer."""

    def __init__(self, file, schema):
        pass

    def write_batch(self, batch):
        raise OSError(errno.ENOSPC, "No space left on device")

    def close(self):
        pass


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(pa.ipc, "new_file", FullDisk)
    with pytest.raises(UserError, match="cannot be written: the disk is full"):
        written(tmp_path / "c.arrow", [row(1)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("n_bytes", [0, 20, 400])
def test_a_cut_file_is_refused(tmp_path, n_bytes):
    path = tmp_path / "c.arrow"
    written(path, [row(at) for at in range(50)])
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(UserError, match=r"c\.arrow: is not a whole corpus file \(.+\); remove it and run again\.$"):
        Corpus(path)


def test_an_unknown_column_is_named(tmp_path):
    corpus = written(tmp_path / "c.arrow", [row(0)])
    with pytest.raises(KeyError, match="the corpus has no column 'lable'"):
        list(corpus.values("lable"))
