"""Recall and reciprocal ranks of pictures and texts that find each other, by hand."""

import numpy as np
import pytest

from burnish.metrics._pairings import PairingOutcome
from burnish.metrics.pairing_mrr import PairingMrr
from burnish.metrics.picture_recall_at_10 import PictureRecallAt10
from burnish.metrics.text_recall_at_10 import TextRecallAt10

OUTCOME = PairingOutcome(
    [np.array([1, 4]), np.array([2]), np.array([11, 1, 6])],
    np.array([1, 3, 20]),
    ["a", "b", "c"],
    [["a"], ["b"], ["c"]],
    [["a"], ["a", "b"], ["b"]],
)


def test_a_row_counts_once_however_many_texts_it_has():
    # at 1: 1/2, 0, 1/3; at 5: 1, 1, 1/3; at 10: 1, 1, 2/3
    found = PictureRecallAt10().score(OUTCOME)
    assert found["picture_recall_at_1"] == pytest.approx((1 / 2 + 0 + 1 / 3) / 3)
    assert found["picture_recall_at_5"] == pytest.approx((1 + 1 + 1 / 3) / 3)
    assert found["picture_recall_at_10"] == pytest.approx((1 + 1 + 2 / 3) / 3)


def test_a_picture_is_right_when_one_of_its_texts_is_among_the_first():
    assert TextRecallAt10().score(OUTCOME) == pytest.approx(
        {"text_recall_at_1": 1 / 3, "text_recall_at_5": 2 / 3, "text_recall_at_10": 2 / 3}
    )


def test_the_reciprocal_rank_is_the_mean_of_both_ways():
    by_text = np.array([(1 + 1 / 4) / 2, 1 / 2, (1 / 11 + 1 + 1 / 6) / 3])
    by_picture = np.array([1, 1 / 3, 1 / 20])
    assert PairingMrr().score(OUTCOME)["pairing_mrr"] == pytest.approx(((by_text + by_picture) / 2).mean())


def test_a_row_is_wrong_when_anything_of_it_is_not_first():
    assert OUTCOME.is_wrong().tolist() == [True, True, True]
    assert PairingOutcome.toy().is_wrong().tolist() == [False, False]
    assert OUTCOME.words_of(1) == (["b"], ["a", "b"])
    assert OUTCOME.take(np.array([2, 2])).gold == ["c", "c"]
