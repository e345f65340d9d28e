"""Scores of rankings, derived by hand."""

from math import log2

import numpy as np
import pytest

from burnish.core.shelves import Shelf
from burnish.metrics._ranked import RankedOutcome
from burnish.metrics._recommended import RecommendedOutcome, auc_of_places


def scores(name, outcome):
    return Shelf("metrics").get(name)().score(outcome)


@pytest.fixture
def outcome():
    """Right at the places: 2; 1 and 3 of two; nowhere of two."""
    return RankedOutcome.of([["a"], ["a", "b"], ["x", "y"]], [["b", "a", "c"], ["a", "c", "b"], ["a", "b", "c"]])


def test_the_reciprocal_rank_is_that_of_the_first_right_answer(outcome):
    assert scores("mrr", outcome) == {"mrr": pytest.approx((1 / 2 + 1 + 0) / 3)}


def test_recall_counts_right_answers_among_the_first_but_wants_no_more_than_fit(outcome):
    found = scores("recall_at_1", outcome)
    # first place: 0 of 1, 1 of min(2, 1), 0 of min(2, 1); first five: 1 of 1, 2 of 2, 0 of 2
    assert found == {
        "recall_at_1": pytest.approx(1 / 3),
        "recall_at_5": pytest.approx(2 / 3),
        "recall_at_10": pytest.approx(2 / 3),
    }


def test_ndcg_discounts_by_the_logarithm_of_the_place(outcome):
    # row 1: 1/log2(3) of 1; row 2: 1 + 1/log2(4) of 1 + 1/log2(3); row 3: 0
    expected = (1 / log2(3) + (1 + 1 / log2(4)) / (1 + 1 / log2(3)) + 0) / 3
    found = scores("ndcg_at_10", outcome)
    assert found == {"ndcg_at_5": pytest.approx(expected), "ndcg_at_10": pytest.approx(expected)}


def test_places_beyond_the_fifth_count_for_ten_only():
    outcome = RankedOutcome.of([["z"]], [[*"abcde", "z"]])
    assert scores("recall_at_1", outcome) == {"recall_at_1": 0.0, "recall_at_5": 0.0, "recall_at_10": 1.0}
    assert scores("ndcg_at_10", outcome) == {"ndcg_at_5": 0.0, "ndcg_at_10": pytest.approx(1 / log2(7))}


def test_a_row_is_wrong_when_its_first_place_is_and_the_further_the_worse(outcome):
    assert outcome.is_wrong().tolist() == [True, False, True]
    assert outcome.distance().tolist() == [0.5, 0.0, 1.0]
    assert outcome.words_of(2) == (["x", "y"], ["a", "b", "c"])


def test_rows_taken_twice_keep_their_names(outcome):
    taken = outcome.take(np.array([1, 1]))
    assert [taken.gold_of(row) for row in range(2)] == [("a", "b"), ("a", "b")]


# recommendations


def test_the_area_of_a_ranking_is_the_share_of_pairs_in_order():
    """Wanted at place 3 of 5 (0-based 2): 2 of 4 others above. At 0 and 3 of 5: others above: 0 and 2, of 3 each."""
    area = auc_of_places([np.array([2]), np.array([3, 0])], np.array([5, 5]))
    assert area.tolist() == pytest.approx([1 - 2 / 4, 1 - 2 / 6])


def test_where_all_is_wanted_there_is_no_pair_to_miss():
    assert auc_of_places([np.array([1, 0]), np.array([], np.int64)], np.array([2, 3])).tolist() == [1.0, 1.0]


def test_a_recommendation_is_judged_as_the_ranking_that_it_is(outcome):
    found = RecommendedOutcome(outcome, np.array([0.25, 1.0, 0.5]))
    assert scores("ranking_auc", found) == {"ranking_auc": pytest.approx((0.25 + 1.0 + 0.5) / 3)}
    for name in ("mrr", "recall_at_1", "ndcg_at_10"):
        assert scores(name, found) == scores(name, outcome)
    assert found.gold_of(1) == ("a", "b")
    assert found.words_of(2) == (["x", "y"], ["a", "b", "c"])
    assert found.take(np.array([2, 2])).auc.tolist() == [0.5, 0.5]
    assert found.is_wrong().tolist() == [True, False, True]
    assert found.distance().tolist() == [0.5, 0.0, 1.0]
