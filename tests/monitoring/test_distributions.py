"""Every tail against scipy, which the room itself does without."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from burnish.monitoring import distributions as d

whole = st.integers(0, 400)
positive = st.floats(0.05, 2000.0)
shares = st.floats(0.001, 0.999)


def near(value):
    return pytest.approx(float(value), rel=1e-8, abs=1e-13)


@given(st.floats(-8, 8))
def test_the_normal_tail(z):
    assert d.normal_tail(z) == near(stats.norm.sf(z))


@given(st.floats(0, 3000), st.floats(0.5, 1000))
def test_the_chi_square_tail(x, freedom):
    assert d.chi_square_tail(x, freedom) == near(stats.chi2.sf(x, freedom))


@given(st.sampled_from([0.1, 0.5, 0.9]), st.integers(5, 2000))
def test_the_chi_square_quantile_is_within_a_percent(share, freedom):
    assert d.chi_square_quantile(share, freedom) == pytest.approx(stats.chi2.ppf(share, freedom), rel=0.01)


@given(shares, positive, positive)
def test_the_share_of_a_beta_distribution(x, a, b):
    assert d.beta_share(x, a, b) == near(stats.beta.cdf(x, a, b))


@pytest.mark.parametrize(("x", "share"), [(-0.1, 0.0), (0.0, 0.0), (1.0, 1.0), (1.1, 1.0)])
def test_the_share_beyond_the_ends(x, share):
    assert d.beta_share(x, 2.0, 3.0) == share


@given(st.integers(0, 400), shares, st.floats(0, 1))
def test_the_binomial_chance(n, share, part):
    assert d.binomial_chance(round(part * n), n, share) == near(stats.binom.pmf(round(part * n), n, share))


@given(whole, whole, shares)
def test_the_binomial_tail(k, n, share):
    assert d.binomial_tail(k, n, share) == near(stats.binom.sf(k - 1, n, share))


@settings(deadline=None)
@given(whole, whole, whole, whole)
def test_the_hypergeometric_tail(k, n_drawn, n_marked, n_other):
    n_all = max(1, n_drawn, n_marked + n_other)
    assert d.hypergeometric_tail(k, n_drawn, n_marked, n_all) == near(
        stats.hypergeom.sf(k - 1, n_all, n_marked, n_drawn)
    )


@settings(deadline=None, max_examples=50)
@given(whole, whole, positive, positive)
def test_the_tail_of_polyas_urn(k, n, a, b):
    """scipy takes its tail as 1 less the rest, which leaves about ten digits after the point."""
    wanted = float(stats.betabinom.sf(k - 1, n, a, b))
    assert d.beta_binomial_tail(k, n, a, b) == pytest.approx(wanted, rel=1e-5, abs=1e-9)


def test_far_tails_keep_their_digits():
    """P(X ≥ 60) of 60 tosses is 2⁻⁶⁰; drawing all 50 marked ones first has one chance in C(100, 50)."""
    assert d.binomial_tail(60, 60, 0.5) == pytest.approx(2.0**-60, rel=1e-9)
    assert d.hypergeometric_tail(50, 50, 50, 100) == pytest.approx(1 / math.comb(100, 50), rel=1e-9)


def test_an_urn_of_large_counts_is_quick_and_right():
    """10⁷ draws, a thousand times more than a sum term by term should walk."""
    assert d.beta_binomial_tail(100_000, 10_000_000, 1e4, 1e6) == pytest.approx(
        float(stats.norm.sf((100_000 - 99_009.9) / (10_000_000 * math.sqrt(1e4 * 1e6 / (1.01e6**2 * 1.01e6))))),
        abs=0.02,
    )
