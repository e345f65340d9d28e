"""Exact match and F1 of answers, by hand, as the official scripts of SQuAD and CMRC 2018 count."""

import numpy as np
import pytest

from burnish.core.shelves import Shelf
from burnish.metrics._answers import AnswerOutcome, exact_match, overlap_f1


@pytest.mark.parametrize(
    ("gold", "found", "exact", "f1"),
    [
        ("the Denver Broncos", "Denver broncos!", 1, 1),
        ("Denver Broncos of 2015", "the Broncos", 0, 2 * 1 / (4 + 1)),
        ("red and blue", "blue and green", 0, 2 * 2 / (3 + 3)),  # in any order
        ("U.S.", "us", 1, 1),
        ("home", "", 0, 0),
        ("", "home", 0, 0),
        ("", "", 1, 1),
    ],
)
def test_english_is_compared_by_words_without_case_punctuation_and_articles(gold, found, exact, f1):
    assert exact_match(gold, found, False) == exact
    assert overlap_f1(gold, found, False) == pytest.approx(f1)


@pytest.mark.parametrize(
    ("gold", "found", "exact", "f1"),
    [
        ("《红楼梦》", "红楼梦", 1, 1),
        ("1963年", "1963", 0, 2 * 1 / (2 + 1)),  # a number is one piece
        ("北京大学", "北京的大学", 0, 2 * 2 / (4 + 5)),  # the longest common piece is 北京 or 大学, not both
        ("光荣和ω-force", "光荣和", 0, 2 * 3 / (4 + 3)),
        ("北京", "上海", 0, 0),
        ("北京", "", 0, 0),
    ],
)
def test_chinese_is_compared_by_the_longest_common_run_of_characters(gold, found, exact, f1):
    assert exact_match(gold, found, True) == exact
    assert overlap_f1(gold, found, True) == pytest.approx(f1)


def outcome(gold, predicted):
    n = len(gold)
    return AnswerOutcome(gold, predicted, np.full(n, 0.5), np.full(n, 0.5), np.zeros(n, bool))


def test_the_best_of_several_gold_answers_counts_and_no_answer_is_an_answer():
    """Rows: 1 by the second gold; 2/3 (one of two words against one); right and wrong about having none."""
    judged = outcome([("x y", "red"), ("red door",), (), ()], ["red", "door", "", "door"])
    assert Shelf("metrics").get("exact_match")().score(judged) == {"exact_match": pytest.approx(2 / 4)}
    assert Shelf("metrics").get("answer_f1")().score(judged) == {"answer_f1": pytest.approx((1 + 2 / 3 + 1 + 0) / 4)}


def test_an_outcome_says_what_reports_need():
    judged = outcome([("x", "red", "x"), ()], ["red", ""])
    assert judged.words_of(0) == (["x", "red"], ["red"])
    assert judged.words_of(1) == ([], [])
    assert judged.answers().is_correct.tolist() == [True, True]
    assert judged.thresholded()[1].tolist() == [[True], [False]]
    assert judged.take(np.array([1])).gold_of(0) == ()
