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


def test_shares_mix_in_raw_and_even_probabilities():
    mixed = probabilities(LOGITS, 2.0, "softmax", share_raw=0.3, share_even=0.1)
    assert mixed == pytest.approx(0.6 * softmax(LOGITS / 2, axis=1) + 0.3 * softmax(LOGITS, axis=1) + 0.1 / 5)
    sigmoid = probabilities(LOGITS, 2.0, "sigmoid", share_even=0.1)
    assert sigmoid == pytest.approx(0.9 * expit(LOGITS / 2) + 0.1 * 0.5)
