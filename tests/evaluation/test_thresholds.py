import numpy as np
import pytest
from sklearn.metrics import f1_score

from burnish.evaluation.thresholds import best_thresholds


def test_no_other_threshold_gives_a_better_f1():
    draw = np.random.default_rng(0)
    gold = draw.random((200, 3)) < [0.5, 0.2, 0.3]
    shares = np.clip(draw.normal(0.2, 0.15, (200, 3)) + 0.2 * gold, 0, 1)
    found = best_thresholds(shares, gold)
    for label in range(3):
        best = f1_score(gold[:, label], shares[:, label] >= found[label])
        others = [f1_score(gold[:, label], shares[:, label] >= cut) for cut in np.unique(shares[:, label])]
        assert best == pytest.approx(max(others))


def test_a_rare_label_keeps_one_half():
    gold = np.zeros((50, 1), bool)
    gold[:9] = True
    shares = np.where(gold, 0.2, 0.1)
    assert best_thresholds(shares, gold).tolist() == [0.5]
    assert best_thresholds(shares, gold, min_positives=9).tolist() == [pytest.approx(0.15)]


def test_one_half_is_kept_when_nothing_is_better():
    gold = np.arange(40)[:, None] < 20
    assert best_thresholds(np.where(gold, 0.9, 0.1), gold).tolist() == [0.5]


def test_of_equally_good_thresholds_the_nearest_to_one_half_is_taken():
    # right at 0.9, wrong at 0.8, and again right, right, wrong: cuts below 0.9 or below 0.6 can both be best
    gold = np.array([[1]] * 10 + [[0]] * 10 + [[1]] * 10, dtype=bool)
    shares = np.array([[0.9]] * 10 + [[0.8]] * 10 + [[0.7]] * 10)
    # giving 10: F1 = 20 / (10 + 20) = 2/3; giving all 30: 40 / 50 = 0.8, with a cut between 0 and 0.7, so 0.5 itself
    assert best_thresholds(shares, gold).tolist() == [0.5]


def test_labels_that_are_always_true_are_given_always():
    shares = np.linspace(0.1, 0.3, 20)[:, None]
    threshold = best_thresholds(shares, np.ones((20, 1), bool))[0]
    assert (shares >= threshold).all()
