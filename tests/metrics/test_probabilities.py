import numpy as np
import pytest
from scipy.special import expit, softmax

from burnish.metrics._probabilities import probabilities

LOGITS = np.random.default_rng(0).normal(size=(7, 5)) * 3


def test_softmax_equals_scipys_of_the_divided_logits():
    assert probabilities(LOGITS, 1.7, "softmax") == pytest.approx(softmax(LOGITS / 1.7, axis=1))


def test_sigmoid_equals_scipys_of_the_divided_logits():
    assert probabilities(LOGITS, 0.4, "sigmoid") == pytest.approx(expit(LOGITS / 0.4))


def test_huge_logits_neither_overflow_nor_warn():
    assert probabilities([[1e4, -1e4]], 0.05, "softmax").tolist() == [[1.0, 0.0]]
    assert probabilities([[1e4, -1e4]], 0.05, "sigmoid").tolist() == [[1.0, 0.0]]


def test_float32_logits_are_computed_in_float64():
    assert probabilities(LOGITS.astype(np.float32), 1.0, "softmax").dtype == np.float64


def test_any_leading_shape_is_allowed():
    assert probabilities(LOGITS.reshape(1, 7, 5), 1.0, "softmax").shape == (1, 7, 5)


def test_a_bend_moves_the_winner_and_shares_the_rest_in_proportion():
    plain = probabilities(LOGITS, 2.0, "softmax")
    bent = probabilities(LOGITS, 2.0, "softmax", low=1.2, high=1.5, offset=0.3)
    top = plain.argmax(axis=1)
    rows = np.arange(len(plain))
    p = plain[rows, top]
    assert bent[rows, top] == pytest.approx(expit(1.2 * np.log(p) - 1.5 * np.log(1 - p) + 0.3))
    others = np.delete(bent[0] / plain[0], top[0])
    assert others == pytest.approx(np.full(4, others[0]))


def test_a_bend_never_lets_another_win():
    bent = probabilities([[2.0, 1.9, -1.0]], 1.0, "softmax", offset=-5.0)
    assert bent[0, 0] == pytest.approx(bent[0, 1], abs=1e-5)
    assert bent[0, 0] > bent[0, 1]
    assert bent.sum() == pytest.approx(1.0)


def test_a_bend_of_sigmoids_bends_each():
    p = expit(LOGITS)
    expected = expit(0.5 * np.log(p) - 2 * np.log(1 - p) - 1)
    assert probabilities(LOGITS, 1.0, "sigmoid", low=0.5, high=2.0, offset=-1.0) == pytest.approx(expected)


def test_a_bend_of_the_surest_stays_a_probability():
    bent = probabilities([[1e4, -1e4, 0.0]], 1.0, "softmax", low=1.5, high=2.0)
    assert np.isfinite(bent).all()
    assert bent.sum() == pytest.approx(1.0)
