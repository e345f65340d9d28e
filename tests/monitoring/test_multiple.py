import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from burnish.monitoring.multiple import benjamini_hochberg


def test_the_example_of_the_paper():
    """Benjamini and Hochberg 1995, §4.1: of these 15 p-values the first four are called at 5 %."""
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1.0,
    ]
    assert sum(adjusted <= 0.05 for adjusted in benjamini_hochberg(p)) == 4


def test_by_hand():
    """Sorted 0.01 0.02 0.6: 0.01·3/1 = 0.03, 0.02·3/2 = 0.03, 0.6·3/3 = 0.6; each takes the least from itself up."""
    assert benjamini_hochberg([0.6, 0.01, 0.02]) == pytest.approx([0.6, 0.03, 0.03])


@given(st.lists(st.floats(0, 1), max_size=20))
def test_it_is_what_scipy_computes(p_values):
    assert benjamini_hochberg(p_values) == pytest.approx(stats.false_discovery_control(p_values) if p_values else [])


def test_quiet_p_values_are_called_in_five_percent_of_the_windows():
    draw = np.random.default_rng(0)
    called = np.mean([min(benjamini_hochberg(draw.random(12).tolist())) <= 0.05 for _ in range(4000)])
    assert called == pytest.approx(0.05, abs=0.011)  # three standard errors
