import numpy as np
import pytest
from scipy import stats

from burnish.monitoring.counting import Past, clumping_of


def past_of(counts, exposures=None):
    given = np.asarray(counts, dtype=float)
    return Past(given, np.ones(len(given)) if exposures is None else np.asarray(exposures, dtype=float))


def clumped(draw, mean, clumping, size):
    return draw.poisson(draw.gamma(mean / (clumping - 1), clumping - 1, size) if clumping > 1 else np.full(size, mean))


def test_without_clumps_it_is_the_exact_test_of_two_poisson_rates():
    """12 now, 24 in eight hours before: of 36 events each falls into the ninth hour with 1/9."""
    past = past_of([3] * 8)
    assert past.high(12, 1.0, 1.0) == pytest.approx(stats.binomtest(12, 36, 1 / 9, alternative="greater").pvalue)
    assert past.low(0, 1.0, 1.0) == pytest.approx((8 / 9) ** 24)


def test_with_clumps_it_is_polyas_urn():
    """φ = 3: an urn of 36 / 2 balls, a ninth of them for now."""
    past = past_of([3] * 8)
    assert past.high(12, 1.0, 3.0) == pytest.approx(stats.betabinom.sf(11, 36, 2.0, 16.0))
    assert past.low(2, 1.0, 3.0) == pytest.approx(stats.betabinom.cdf(2, 26, 26 / 2 / 9, 26 / 2 * 8 / 9))


def test_an_hour_that_is_usually_busier_may_have_more():
    past = past_of([10, 30, 10, 30], [1, 3, 1, 3])
    assert past.expected(3.0) == pytest.approx(30.0)
    assert past.high(30, 3.0, 1.0) > 0.4
    assert past.high(30, 1.0, 1.0) < 0.01


def test_what_never_came_is_surprising_at_once():
    """Nothing in 99 hours, three now: each of three falls into the last of 100 hours."""
    assert past_of([0] * 99).high(3, 1.0, 1.0) == pytest.approx(1e-6)


@pytest.mark.parametrize("clumping", [1.0, 3.0])
def test_clumping_is_estimated_on_the_cautious_side(clumping):
    draw = np.random.default_rng(0)
    found = [clumping_of([past_of(clumped(draw, 20.0, clumping, 168))])[0] for _ in range(100)]
    assert np.mean(np.asarray(found) >= clumping) > 0.8
    assert np.mean(found) < 1.5 * clumping


def test_a_label_that_hardly_came_takes_the_clumps_of_the_others():
    draw = np.random.default_rng(0)
    common = [past_of(clumped(draw, 30.0, 5.0, 168)) for _ in range(6)]
    rare = past_of([1] + [0] * 167)
    assert clumping_of([*common, rare])[-1] > 4.0
    assert clumping_of([rare])[0] < 3.0


def test_nothing_at_all_has_no_clumps():
    assert clumping_of([past_of([0, 0, 0])]) == [1.0]
    assert clumping_of([]) == []


def test_numbers_fitted_leave_fewer_degrees_of_freedom():
    counts, exposures = np.asarray([1.0, 9.0] * 12), np.ones(24)
    plain, fitted = (clumping_of([Past(counts, exposures, n_fitted=n)])[0] for n in (1.0, 12.0))
    assert fitted > plain
    assert clumping_of([Past(counts, exposures, n_fitted=24.0)]) == [1.0]


def test_the_stated_rate_holds_for_counts_in_clumps_of_unknown_size():
    draw, n_called = np.random.default_rng(0), 0
    for _ in range(300):
        counts = clumped(draw, 15.0, 4.0, 49)
        past = past_of(counts[:-1])
        n_called += past.high(int(counts[-1]), 1.0, clumping_of([past])[0]) <= 0.05
    assert n_called / 300 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)
