"""lines: files that belong together line by line, and files that do not."""

import pytest

from burnish.core.errors import UserError
from burnish.data.opening import open_sources
from burnish.data.sources._contract import BadRow, Row
from burnish.data.sources.lines import Lines


def written(folder, **texts):
    for name, text in texts.items():
        (folder / f"train.{name}").write_bytes(text.encode())
    return {"name": "lines", "path": str(folder / "train.en"), "beside": {"target": "train.de"}}


def test_line_n_of_each_file_makes_row_n(tmp_path):
    (source,) = open_sources(written(tmp_path, en="one\n\nthree", de="eins\r\nzwei\r\ndrei\r\n"))
    assert list(source.rows()) == [
        Row(1, {"text": "one", "target": "eins"}),
        Row(2, {"text": "", "target": "zwei"}),
        Row(3, {"text": "three", "target": "drei"}),
    ]
    assert source.facts() == {"encoding": "UTF-8", "line ends": r"\n"}


def test_the_column_of_the_first_file_is_a_setting(tmp_path):
    written(tmp_path, en="one\n", de="eins\n")
    assert list(Lines(path=tmp_path / "train.en", column="source").rows()) == [Row(1, {"source": "one"})]


def test_files_of_unlike_length_are_refused_with_both_counts(tmp_path):
    (source,) = open_sources(written(tmp_path, en="1\n2\n3\n", de="1\n2\n"))
    with pytest.raises(
        UserError, match=r"train.en: line n of each file makes one row, but there are 3 in train.en and 2 in train.de l"
    ):
        list(source.rows())


def test_a_line_that_cannot_be_used_says_in_which_file_it_stands(tmp_path):
    (source,) = open_sources(written(tmp_path, en="1\n2\n", de="a longer line\nand \0 another\n"))
    assert list(source.rows())[1] == BadRow(
        2,
        "(in train.de) the line holds a NUL character (U+0000), which is not text; export the file again without it.",
    )


def test_a_file_beside_that_is_not_there_is_named(tmp_path):
    (source,) = open_sources(written(tmp_path, en="1\n"))
    with pytest.raises(UserError, match=r"train\.de: there is no such file in"):
        list(source.rows())


def test_a_column_is_not_named_twice(tmp_path):
    given = {**written(tmp_path, en="1\n", de="1\n"), "column": "target"}
    with pytest.raises(UserError, match=r"^data\.train: the column 'target' is named twice; give each file a column"):
        open_sources(given)
