"""Spans of every accepted form mean the same characters; faults are sentences."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.data.spans import parse_spans

TEXT = "彭小军认为，😀 London 很好"
PERSON, PLACE = (0, 3, "name"), (8, 14, "place")


@pytest.mark.parametrize(
    "value",
    [
        [[8, 14, "place"], [0, 3, "name"]],
        ((0, 3, "name"), (8, 14, "place")),
        [{"start": 0, "end": 3, "label": "name"}, {"start": 8, "end": 14, "type": "place"}],
        [{"start": 0, "end": 3, "entity": "name", "text": "彭小军"}, {"start": 8.0, "end": 14.0, "label": "place"}],
        [
            {"start_offset": 0, "end_offset": 3, "label": "name"},
            {"start_offset": 8, "end_offset": 14, "label": "place"},
        ],
        [
            {"value": {"start": 0, "end": 3, "text": "彭小军", "labels": ["name"]}, "type": "labels", "id": "x"},
            {"value": {"start": 8, "end": 14, "text": "London", "labels": ["place"]}, "type": "labels", "id": "y"},
        ],
        {"name": {"彭小军": [[0, 2]]}, "place": {"London": [[8, 13]]}},
        {"name": {"彭小军": [[0, 3]]}, "place": {"London": [[8, 14]]}},
        '[[0, 3, "name"], [8, 14, "place"]]',
        np.array([[0, 3, "name"], [8, 14, "place"]], dtype=object),
        [[np.int64(0), np.int64(3), "name"], [8, 14, "place"]],
    ],
)
def test_every_form_gives_the_same_spans(value: Any) -> None:
    assert parse_spans(value, TEXT) == [PERSON, PLACE]


@pytest.mark.parametrize("value", [None, [], {}, "", "  ", "[]", "null"])
def test_nothing_is_no_spans(value: Any) -> None:
    assert parse_spans(value, TEXT) == []


def test_a_surface_that_occurs_twice_has_two_places() -> None:
    assert parse_spans({"x": {"很好": [[0, 1], [3, 4]]}}, "很好，很好") == [(0, 2, "x"), (3, 5, "x")]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([[0, 99, "a"]], r"the span \[0, 99\] 'a' leaves the text, which has 17 characters; offsets count characters"),
        ([[-1, 2, "a"]], r"the span \[-1, 2\] 'a' leaves the text"),
        ([[3, 3, "a"]], r"the span \[3, 3\] 'a' is empty: its end must lie after its start"),
        ([[4, 2, "a"]], r"the span \[4, 2\] 'a' is empty"),
        (
            [[0, 3, "a"], [2, 5, "b"]],
            r"the spans \[0, 3\] 'a' \('彭小军'\) and \[2, 5\] 'b' \('军认为'\) overlap; keep one",
        ),
        ([[0, 3, "a"], [0, 3, "a"]], "overlap"),
        ([[0, 3, ""]], r"the span \[0, 3\] has no label \(got ''\)"),
        ([[0, 3, None]], r"has no label \(got None\)"),
        ([["0", 3, "a"]], r"the offset '0' is not a whole number"),
        ([[0.5, 3, "a"]], r"the offset 0.5 is not a whole number"),
        ([[float("nan"), 3, "a"]], r"the offset nan is not a whole number"),
        ([[True, 3, "a"]], r"the offset True is not a whole number"),
        ([[0, 3]], r"the span \[0, 3\] is not \[start, end, label\]"),
        (["name"], r"the span 'name' is not \[start, end, label\]"),
        (7, r"^the spans are 7, not a list; write \[\[start, end, label\], …\]\.$"),
        ("[[0, 3", r"^the spans are not JSON \(.+\); write \[\[start, end, label\], …\]\.$"),
        ([{"start": 0, "label": "a"}], r"has no 'end'; it has: start, label"),
        ([{"start": 0, "end": 3, "labels": ["a", "b"]}], r"has 2 labels; give it exactly one"),
        ([{"start": 0, "end": 3, "label": "a", "text": "彭小"}], r"should be '彭小', but the text has '彭小军' there"),
        ({"name": {"彭小军": [[1, 3]]}}, r"the span \[1, 3\] 'name' should be '彭小军', but the text has '小军' there"),
        (
            {"name": [[0, 3]]},
            r"^the spans of 'name' are \[\[0, 3\]\]; write \{label: \{surface: \[\[start, end\]\]\}\}\.$",
        ),
        ({"name": {"彭小军": [0, 2]}}, r"the span 0 of '彭小军' is not \[start, end\]"),
    ],
)
def test_each_fault_is_a_sentence(value: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_spans(value, TEXT)


def test_offsets_in_utf16_units_are_caught_by_the_surface() -> None:
    with pytest.raises(ValueError, match="offsets count characters from 0, not bytes"):
        parse_spans([{"start": 9, "end": 15, "label": "place", "text": "London"}], TEXT)


ALPHABET = st.text(st.sampled_from("ab 中文，😀👨‍👩‍👧é\n"), min_size=1, max_size=40)


@st.composite
def texts_with_spans(draw: st.DrawFn) -> tuple[str, list[tuple[int, int, str]]]:
    text = draw(ALPHABET)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    return text, [(start, end, draw(st.sampled_from(["PER", "地点"]))) for start, end in pairs]


@given(texts_with_spans())
def test_forms_agree_on_any_text(case: tuple[str, list[tuple[int, int, str]]]) -> None:
    text, spans = case
    as_lists = [list(span) for span in reversed(spans)]
    as_dicts = [{"start": s, "end": e, "label": label, "text": text[s:e]} for s, e, label in spans]
    as_cluener: dict[str, dict[str, list[list[int]]]] = {}
    for s, e, label in spans:
        as_cluener.setdefault(label, {}).setdefault(text[s:e], []).append([s, e - 1])
    for form in (as_lists, as_dicts, as_cluener, json.dumps(as_lists)):
        assert parse_spans(form, text) == spans
