"""Lines are bounded and numbered, whatever ends them."""

from __future__ import annotations

import io

import pytest

from burnish.data import lines
from burnish.data.lines import BadLine, line_ends, numbered, read_line


def stream_of(text: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", newline="")


def test_every_kind_of_line_end_ends_a_line() -> None:
    assert list(numbered(stream_of("a\nb\r\nc\rd"))) == [(1, "a\n"), (2, "b\r\n"), (3, "c\r"), (4, "d")]


def test_other_separators_do_not_end_a_line() -> None:
    assert [text for _, text in numbered(stream_of("a\u2028b\x85c\x0bd\n"))] == ["a\u2028b\x85c\x0bd\n"]


def test_a_nul_is_a_fault_of_its_line_only() -> None:
    found = list(numbered(stream_of("a\nb\0c\nd\n")))
    assert [number for number, _ in found] == [1, 2, 3]
    assert isinstance(found[1][1], BadLine)
    assert "holds a NUL character" in str(found[1][1])
    assert found[2] == (3, "d\n")


def test_a_line_over_the_limit_is_skipped_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINE_LIMIT", 5)
    found = list(numbered(stream_of("abcd\n" + "x" * 23 + "\nefg\n")))
    assert found[0] == (1, "abcd\n")
    assert "the line has over 5 characters; break it up" in str(found[1][1])
    assert found[2] == (3, "efg\n")


def test_the_end_is_an_empty_string() -> None:
    assert read_line(stream_of("")) == ""


def test_line_ends_are_counted_between_positions() -> None:
    assert line_ends("a\nb\r\nc\rd\n", 0, 9) == 4
    assert line_ends("a\nb\r\nc\rd\n", 2, 5) == 1
