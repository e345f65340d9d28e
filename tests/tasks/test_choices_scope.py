"""What is unlike all that was learned is told as out of scope."""

import numpy as np
import pytest

from burnish.tasks._choices import choices, energies
from burnish.tasks._contract import Answered, Decision


def answered(*logits):
    return [Answered({}, [], [np.asarray(one, np.float32)]) for one in logits]


def test_the_energy_is_the_logarithm_of_the_sum_of_exponentials():
    # log(e^0 + e^0) = log 2; log(e^3 + e^1) by hand
    found = energies(np.asarray([[0.0, 0.0], [3.0, 1.0]]))
    assert found == pytest.approx([np.log(2), np.log(np.e**3 + np.e)])


def test_a_large_logit_does_not_overflow():
    assert energies(np.asarray([[1e4, 0.0]])) == pytest.approx([1e4])


def test_a_text_below_the_threshold_is_out_of_scope_and_one_above_is_not():
    far, near = choices(answered([0.1, 0.0], [5.0, 0.0]), ("a", "b"), Decision(scope_below=1.0))
    assert far.out_of_scope
    assert not near.out_of_scope


def test_without_a_threshold_nothing_is_out_of_scope():
    assert not choices(answered([-50.0, -60.0]), ("a", "b"), Decision())[0].out_of_scope
