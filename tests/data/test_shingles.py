"""Shingles, signatures and Jaccard similarity against Python sets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.data import shingles as shingles_module
from burnish.data.shingles import core, jaccard, normalised, shingles, signatures, wanted_similarity

texts = st.text(alphabet="ab 文😀", max_size=24)


def grams(text):
    return {text[at : at + 5] for at in range(len(text) - 4)} if len(text) >= 5 else {text}


def true_jaccard(one, other):
    return len(grams(one) & grams(other)) / len(grams(one) | grams(other))


@settings(deadline=None)
@given(st.lists(texts, min_size=1, max_size=8), st.data())
def test_jaccard_is_that_of_python_sets(some, data):
    numbers = st.lists(st.integers(0, len(some) - 1), min_size=1, max_size=10)
    left = data.draw(numbers)
    right = data.draw(st.lists(st.integers(0, len(some) - 1), min_size=len(left), max_size=len(left)))
    found = jaccard(some, np.array(left), np.array(right))
    assert found.tolist() == pytest.approx([true_jaccard(some[a], some[b]) for a, b in zip(left, right, strict=True)])


def test_each_text_has_a_shingle_for_each_five_characters():
    assert np.diff(shingles(["", "abc", "abcde", "abcdefg", "文本分类任务"]).starts).tolist() == [1, 1, 1, 3, 2]


def test_no_shingle_reaches_into_the_next_text():
    together, alone = shingles(["hello world", "second one"]), shingles(["second one"])
    assert together.hashes[together.starts[1] :].tolist() == alone.hashes.tolist()


@pytest.mark.parametrize("chunk", [64, 1 << 16])
def test_equal_minima_estimate_the_similarity(monkeypatch, chunk):
    monkeypatch.setattr(shingles_module, "_CHUNK", chunk)
    one = "please tell me what the weather will be like in the old town tomorrow morning"
    other = "please tell me what the weather will be like in the new town tomorrow evening"
    signature = signatures(shingles([one, other]), 2000, np.random.default_rng(0))
    share = np.mean(signature[:, 0] == signature[:, 1])
    assert share == pytest.approx(true_jaccard(one, other), abs=0.04)  # 4 standard errors of 2,000 draws


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Hello\t\nWORLD ", "hello world"),
        ("Ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("Straße", "strasse"),
        ("ﬁne", "fine"),
    ],
)
def test_texts_are_compared_without_case_width_or_spacing(text, expected):
    assert normalised(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("yes!", "yes"), ("“好的。”", "好的"), ("1.5", "1.5"), ("?!", "?!"), ("c++", "c++")]
)
def test_marks_at_the_ends_do_not_count(text, expected):
    assert core(text) == expected


def test_short_texts_must_be_more_alike():
    assert wanted_similarity(np.array([19, 20]), 0.8).tolist() == [0.9, 0.8]


def test_jaccard_by_hand():
    # abcdef → {abcde, bcdef}; abcdeg → {abcde, bcdeg}: 1 of 3.
    assert jaccard(["abcdef", "abcdeg"], np.array([0]), np.array([1])).tolist() == pytest.approx([1 / 3])
