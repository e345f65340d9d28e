"""csv: rows keep their lines, and no fault hides another or loses rows silently."""

from __future__ import annotations

import csv as stdlib_csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from burnish.core.errors import UserError
from burnish.data.sources import _delimited
from burnish.data.sources._contract import BadRow, Row
from burnish.data.sources.csv import Csv


def saved(folder: Path, text: str | bytes, name: str = "train.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(folder: Path, text: str | bytes, **fields: Any) -> list[Row | BadRow]:
    return list(Csv(path=saved(folder, text), **fields).rows())


def problem_in(folder: Path, text: str | bytes, **fields: Any) -> str:
    with pytest.raises(UserError) as caught:
        read(folder, text, **fields)
    return str(caught.value).removeprefix(str(folder / "train.csv"))


def test_rows_come_with_their_lines(tmp_path: Path) -> None:
    assert read(tmp_path, "text,label\nhello,a\n\nbye,b\n") == [
        Row(2, {"text": "hello", "label": "a"}),
        Row(4, {"text": "bye", "label": "b"}),
    ]


def test_a_quoted_cell_may_hold_lines_quotes_and_delimiters(tmp_path: Path) -> None:
    rows = read(tmp_path, 'text,label\n"one\r\ntwo, ""three""",a\nnext,b\n')
    assert rows == [
        Row(2, {"text": 'one\r\ntwo, "three"', "label": "a"}),
        Row(4, {"text": "next", "label": "b"}),
    ]


def test_formulas_and_numbers_are_text(tmp_path: Path) -> None:
    rows = read(tmp_path, "text,label\n=1+1,007\n")
    assert rows == [Row(2, {"text": "=1+1", "label": "007"})]


def test_mixed_line_ends_are_read_and_reported(tmp_path: Path) -> None:
    source = Csv(path=saved(tmp_path, b"text,label\r\na,b\rc,d\ne,f"))
    assert [row.line for row in source.rows()] == [2, 3, 4]
    assert source.facts() == {
        "encoding": "UTF-8",
        "line ends": r"mixed: 1 \n, 1 \r\n, 1 \r",
        "delimiter": ",",
    }


def test_reading_twice_gives_the_same_rows(tmp_path: Path) -> None:
    source = Csv(path=saved(tmp_path, "text,label\nhello,a\n"))
    assert list(source.rows()) == list(source.rows())


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "gb18030"])
def test_chinese_is_read_in_any_encoding(tmp_path: Path, codec: str) -> None:
    text = "文本,标签\n酒店的位置很好，服务也不错,好评\n"
    assert read(tmp_path, text.encode(codec)) == [Row(2, {"文本": "酒店的位置很好，服务也不错", "标签": "好评"})]


def test_a_named_encoding_is_used(tmp_path: Path) -> None:
    content = "text,label\nNestlé,a\n".encode("latin-1")
    assert "fits neither UTF-8 nor GB18030" in problem_in(tmp_path, content)
    assert read(tmp_path, content, encoding="latin-1") == [Row(2, {"text": "Nestlé", "label": "a"})]


@pytest.mark.parametrize(("delimiter", "name"), [(",", ","), (";", ";"), ("\t", "tab"), ("|", "|")])
def test_the_delimiter_is_found_and_reported(tmp_path: Path, delimiter: str, name: str) -> None:
    source = Csv(path=saved(tmp_path, f'text{delimiter}label\n"well, yes; no | so\t"{delimiter}a\nno{delimiter}b\n'))
    assert list(source.rows()) == [
        Row(2, {"text": "well, yes; no | so\t", "label": "a"}),
        Row(3, {"text": "no", "label": "b"}),
    ]
    assert source.facts()["delimiter"] == name


def test_the_delimiter_that_cuts_evenly_wins(tmp_path: Path) -> None:
    text = "well, yes;a\nno, not, at all;b\nfine;c\n"
    rows = read(tmp_path, text, has_header=False, names=["text", "label"])
    assert [row.values["label"] for row in rows if isinstance(row, Row)] == ["a", "b", "c"]


def test_a_delimiter_that_is_set_is_not_guessed(tmp_path: Path) -> None:
    rows = read(tmp_path, "a,b;c\n1,2;3\n", delimiter=",")
    assert rows == [Row(2, {"a": "1", "b;c": "2;3"})]
    assert read(tmp_path, "text@label\nhi@a\n", delimiter="@") == [Row(2, {"text": "hi", "label": "a"})]


def test_one_column_needs_no_delimiter(tmp_path: Path) -> None:
    assert read(tmp_path, "text\nhello there\n") == [Row(2, {"text": "hello there"})]


@pytest.mark.parametrize("delimiter", ['"', "\n", "\r", "\0"])
def test_an_impossible_delimiter_is_refused(tmp_path: Path, delimiter: str) -> None:
    with pytest.raises(ValidationError, match="a quote or a line end cannot part cells"):
        Csv(path=tmp_path / "a.csv", delimiter=delimiter)


def test_names_serve_a_file_without_header(tmp_path: Path) -> None:
    assert read(tmp_path, "hello,a\n", has_header=False, names=["text", "label"]) == [
        Row(1, {"text": "hello", "label": "a"})
    ]


def test_names_replace_those_of_the_header(tmp_path: Path) -> None:
    assert read(tmp_path, ",y\nhello,a\n", names=["text", "label"]) == [Row(2, {"text": "hello", "label": "a"})]
    assert problem_in(tmp_path, "x,y,z\nhello,a,b\n", names=["text", "label"]) == (
        ":1: the header has 3 cells, but `names` has 2."
    )


def test_no_header_without_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="without a header, `names` must name the columns"):
        Csv(path=tmp_path / "a.csv", has_header=False)


def test_a_name_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="`names` holds 'text' twice"):
        Csv(path=tmp_path / "a.csv", names=["text", "text"])


def test_ragged_rows_are_faults_of_their_lines(tmp_path: Path) -> None:
    assert read(tmp_path, "text,label\na,b,c\nalone\ngood,row\n") == [
        BadRow(
            2,
            "the row has 3 cells where the file has 2 columns; "
            "put a cell that holds the delimiter (,) in double quotes.",
        ),
        BadRow(3, "the row has 1 cell where the file has 2 columns; add the missing cells (they may be empty)."),
        Row(4, {"text": "good", "label": "row"}),
    ]


def test_a_cell_that_goes_on_after_its_quote_is_a_fault(tmp_path: Path) -> None:
    assert read(tmp_path, 'text,label\n"a"b,"c"\ngood,row\n') == [
        BadRow(
            2,
            "a cell that a double quote opens here goes on after its closing quote; "
            'write a quote that belongs to the text twice ("").',
        ),
        Row(3, {"text": "good", "label": "row"}),
    ]


def test_a_quote_closed_by_a_later_line_names_both_lines(tmp_path: Path) -> None:
    rows = read(tmp_path, 'text,label\n"open,a\nfine,b\n"closed",c\ngood,row\n')
    assert rows[0] == BadRow(
        2,
        "a cell that a double quote opens here goes on after its closing quote on line 4; "
        'write a quote that belongs to the text twice ("").',
    )
    assert rows[1] == Row(5, {"text": "good", "label": "row"})


def test_an_unclosed_quote_names_the_line_where_it_opens(tmp_path: Path) -> None:
    text = 'text,label\ngood,row\n"fine\nlines",\r\n"two\nlines","never closed\nrow,a\nrow,b\n'
    rows = read(tmp_path, text)
    assert [type(row) for row in rows] == [Row, Row, BadRow]
    assert rows[2] == BadRow(
        6,
        "a double quote opens a cell here that is not closed before the file ends, so nothing after it was read; "
        'close the quote, or write a quote that belongs to the text twice ("").',
    )


def test_an_unclosed_quote_on_the_last_line_is_a_fault(tmp_path: Path) -> None:
    last = read(tmp_path, 'text,label\na,b\nc,"d\n')[-1]
    assert isinstance(last, BadRow)
    assert last.line == 3
    assert "a double quote opens a cell here that is not closed" in last.problem


def test_an_unclosed_quote_in_a_long_file_stops_at_the_cell_limit(tmp_path: Path) -> None:
    rows = read(tmp_path, 'text,label\n"open,a\n' + "some text,b\n" * 100_000)
    assert len(rows) == 1
    assert isinstance(rows[0], BadRow)
    assert rows[0].line == 2
    assert "that is not closed within 1,000,000 characters, so nothing after it was read" in rows[0].problem


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_cell_of_ten_megabytes_is_a_fault_and_reading_goes_on(tmp_path: Path, quote: str) -> None:
    text = f"text,label\n{quote}{'x' * 10_000_000}{quote},a\ngood,row\n"
    assert read(tmp_path, text) == [
        BadRow(2, "a cell has over 1,000,000 characters; shorten it, or remove the row."),
        Row(3, {"text": "good", "label": "row"}),
    ]


def test_the_cell_limit_holds_when_another_raised_that_of_the_process(tmp_path: Path) -> None:
    before = stdlib_csv.field_size_limit(50_000_000)
    try:
        rows = read(tmp_path, "text,label\n" + "x" * (_delimited.CELL_LIMIT + 1) + ",a\n")
        assert stdlib_csv.field_size_limit() == 50_000_000
    finally:
        stdlib_csv.field_size_limit(before)
    assert isinstance(rows[0], BadRow)
    assert "a cell has over 1,000,000 characters" in rows[0].problem


def test_a_cell_of_exactly_the_limit_is_read(tmp_path: Path) -> None:
    rows = read(tmp_path, "text,label\n" + "x" * _delimited.CELL_LIMIT + ",a\n")
    assert isinstance(rows[0], Row)


def test_a_nul_is_a_fault_of_its_line(tmp_path: Path) -> None:
    rows = read(tmp_path, "text,label\na\0b,c\ngood,row\n")
    assert rows == [
        BadRow(2, "the line holds a NUL character (U+0000), which is not text; export the file again without it."),
        Row(3, {"text": "good", "label": "row"}),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("text,text\na,b\n", ":1: the header names the column 'text' twice; give each column a name of its own."),
        ("\n\ntext, text\na,b\n", ":3: the header names the column 'text' twice; give each column a name of its own."),
        (
            ",text\n0,a\n",
            (
                ":1: column 1 of the header has no name; give it one, remove it (pandas leaves its index out "
                "with to_csv(index=False)), or name all columns with `names`."
            ),
        ),
        ("text,label\n", ": there is only a header, no rows."),
        ("text,label\n\n\n", ": there is only a header, no rows."),
        ("\n\n", ": the file holds only blank lines."),
        ("", ": the file is empty (0 bytes)."),
        (
            '"text"x,label\na,b\n',
            (
                ":1: the header cannot be read: a cell that a double quote opens here goes on after its "
                'closing quote; write a quote that belongs to the text twice ("").'
            ),
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path, text: str, problem: str) -> None:
    assert problem_in(tmp_path, text) == problem


def test_a_headerless_file_of_blank_lines_has_no_rows(tmp_path: Path) -> None:
    assert problem_in(tmp_path, "\n\n", has_header=False, names=["text"]) == ": has no rows."


def test_a_missing_file_is_hinted(tmp_path: Path) -> None:
    saved(tmp_path, "a")
    with pytest.raises(UserError, match=r"there is no such file in .* Did you mean 'train.csv'\?"):
        list(Csv(path=tmp_path / "trian.csv").rows())


def test_a_hundred_thousand_columns_are_no_fault(tmp_path: Path) -> None:
    n_columns = 100_000
    header = ",".join(f"c{i}" for i in range(n_columns))
    rows = read(tmp_path, header + "\n" + ",".join("x" * n_columns) + "\n")
    assert isinstance(rows[0], Row)
    assert len(rows[0].values) == n_columns


def test_the_recipe_names_every_setting(tmp_path: Path) -> None:
    source = Csv(path=Path("train.csv"), names=["text", "label"])
    assert source.as_recipe() == {
        "name": "csv", "path": "train.csv", "encoding": "auto", "delimiter": None, "has_header": True,
        "names": ["text", "label"],
    }  # fmt: skip
    assert Csv.model_validate({k: v for k, v in source.as_recipe().items() if k != "name"}) == source
    assert source.place() == "train.csv"


CELLS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=12)


@settings(max_examples=60)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6), st.sampled_from([",", ";", "\t", "|"]))
def test_what_the_standard_library_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str
) -> None:
    written = io.StringIO(newline="")
    stdlib_csv.writer(written, delimiter=delimiter, quoting=stdlib_csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    path = tmp_path_factory.mktemp("csv") / "train.csv"
    path.write_bytes(written.getvalue().encode())
    read_back = [row.values for row in Csv(path=path, encoding="utf-8").rows() if isinstance(row, Row)]
    assert read_back == [{"a": first, "b": second} for first, second in rows]
