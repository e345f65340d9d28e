import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from burnish.monitoring import twosample as t

draw = np.random.default_rng(0)


def counts(*values):
    return np.asarray(values, dtype=np.int64)


def test_a_larger_share_by_fishers_test():
    wanted = stats.fisher_exact([[12, 88], [20, 480]], alternative="greater").pvalue
    assert t.more_often(12, 100, 20, 500) == pytest.approx(wanted)


def test_a_larger_share_at_any_look_by_hand():
    """2 of 2 beside 0 of 38: each is one of the 2 with the chance 1/20. Against it stand all chances s from there to 1,
    of which the mean of s² is (1 - 1/20³) / 3 / (1 - 1/20).
    """
    assert t.more_often_at_any_look(2, 2, 0, 38) == pytest.approx((1 / 20) ** 2 * 3 * (19 / 20) / (1 - (1 / 20) ** 3))
    assert t.more_often_at_any_look(0, 5, 3, 95) == 1.0
    assert t.more_often_at_any_look(0, 0, 3, 95) == t.more_often_at_any_look(3, 3, 0, 0) == 1.0


def test_who_looks_after_every_request_calls_an_equal_share_larger_in_few_cases():
    """Fisher's test, which may be asked once, does so in more than it says."""
    rng, n_called = np.random.default_rng(2), np.zeros(2)
    for _ in range(200):
        is_now, is_marked = rng.random(3000) < 0.05, rng.random(3000) < 0.1
        counted = [np.cumsum(one) for one in (is_now & is_marked, is_now, ~is_now & is_marked, ~is_now)]
        looks = [[int(one[at]) for one in counted] for at in np.flatnonzero(is_now & is_marked)]
        n_called += [any(test(*look) <= 0.025 for look in looks) for test in (t.more_often_at_any_look, t.more_often)]
    assert n_called[0] <= 0.025 * 200 < 0.05 * 200 < n_called[1]


def test_a_share_that_changed_either_way_doubles_the_smaller_tail():
    more = stats.fisher_exact([[12, 88], [20, 480]], alternative="greater").pvalue
    less = stats.fisher_exact([[1, 99], [50, 450]], alternative="less").pvalue
    assert t.other_share(12, 100, 20, 500) == pytest.approx(2 * more)
    assert t.other_share(1, 100, 50, 500) == pytest.approx(2 * less)
    assert t.other_share(10, 100, 50, 500) == 1.0


def test_cliffs_delta_by_hand():
    """Values 1 3 against 1 2 2: of six pairs 3 wins three, 1 loses two, one is a tie: (3 − 2) / 6."""
    assert t.cliffs_delta(counts(1, 0, 1), counts(1, 2, 0)) == pytest.approx(1 / 6)


def test_the_rank_test_is_mann_and_whitneys_with_ties():
    now, before = draw.integers(6, size=80), draw.integers(5, size=300)
    binned = [np.bincount(one, minlength=6) for one in (now, before)]
    higher, lower = t.rank_test(*binned)
    for found, side in ((higher, "greater"), (lower, "less")):
        wanted = stats.mannwhitneyu(now, before, alternative=side, method="asymptotic", use_continuity=False).pvalue
        assert found == pytest.approx(wanted)


def test_ranks_of_equal_values_tell_nothing():
    assert t.rank_test(counts(0, 50), counts(0, 70)) == (1.0, 1.0)


def test_the_stability_index_by_hand():
    """Shares 0.5 0.5 → 0.8 0.2 beside the shares of both, 0.65 0.35: 0.09 / 0.65 + 0.09 / 0.35 = 0.3956.

    The index itself is 0.3 · ln 1.6 − 0.3 · ln 0.4 = 0.4159.
    """
    assert t.psi(counts(800_000, 200_000), counts(500_000, 500_000)) == pytest.approx(0.3956, abs=1e-4)


@pytest.mark.parametrize(("n_labels", "n"), [(10, 100), (150, 200), (150, 500)])
def test_the_stability_index_is_near_its_definition_however_few_rows_a_label_has(n_labels, n):
    found, wanted = [], []
    for _ in range(200):
        p = np.full(n_labels, 1 / n_labels)
        q = p * np.exp(0.5 * draw.normal(size=n_labels))
        q /= q.sum()
        wanted.append(((q - p) * np.log(q / p)).sum())
        found.append(t.psi(draw.multinomial(n, q), draw.multinomial(2000, p)))
    assert np.mean(found) == pytest.approx(np.mean(wanted), rel=0.15)


def test_a_label_that_is_new_leaves_the_index_finite():
    """20 of 100 rows beside none of 400: Pearson's statistic of this table by scipy, less one, times 1/100 + 1/400."""
    wanted = stats.chi2_contingency([[80, 20], [400, 0]], correction=False).statistic
    assert t.psi(counts(80, 20), counts(400, 0)) == pytest.approx((wanted - 1) * 0.0125)


def test_the_stability_index_of_no_change_is_about_nothing_however_few_the_rows():
    share = np.full(20, 0.05)
    found = [t.psi(draw.multinomial(100, share), draw.multinomial(500, share)) for _ in range(300)]
    assert np.mean(found) < 0.04  # the index itself is 0.23 here
    assert min(found) == 0.0


def test_pearsons_test():
    now, before = counts(30, 50, 20), counts(300, 400, 300)
    wanted = stats.chi2_contingency([now, before])
    statistic, freedom, p_value = t.chi_square_test(now, before)
    assert (statistic, freedom, p_value) == pytest.approx((wanted.statistic, wanted.dof, wanted.pvalue))


def test_rare_labels_are_put_together():
    """Of 100 rows beside 1,000, labels with fewer than 22 of all 1,100 rows are expected less than twice."""
    now, before = counts(88, 4, 4, 4), counts(970, 10, 10, 10)
    wanted = stats.chi2_contingency([[88, 12], [970, 30]], correction=False)
    assert t.chi_square_test(now, before) == pytest.approx((wanted.statistic, 1, wanted.pvalue))


def test_one_label_only_has_no_mix():
    assert t.chi_square_test(counts(50, 0), counts(70, 0)) == (0.0, 0, 1.0)


@pytest.mark.parametrize("n_labels", [10, 150])
def test_pearsons_test_keeps_its_level_with_few_rows_a_label(n_labels):
    share = 1 / np.arange(1, n_labels + 1)
    share /= share.sum()
    found = [t.chi_square_test(draw.multinomial(200, share), draw.multinomial(800, share))[2] for _ in range(2000)]
    assert np.mean(np.asarray(found) <= 0.01) <= 0.0167  # 1 % and three standard errors


def test_the_energy_distance_is_szekelys_coefficient():
    """H = 1 − (E|X−X'| + E|Y−Y'|) / 2 E|X−Y|, means without the distances of a row to itself."""
    now, before = draw.normal(size=(30, 4)), draw.normal(size=(50, 4)) + 0.5
    within = cdist(now, now).sum() / (30 * 29) + cdist(before, before).sum() / (50 * 49)
    assert t.energy_distance(now, before) == pytest.approx(1 - within / (2 * cdist(now, before).mean()), abs=1e-5)


def test_vectors_entirely_apart_have_the_largest_distance():
    assert t.energy_distance(np.zeros((20, 2)), np.ones((20, 2))) == pytest.approx(1.0)


def test_equal_vectors_have_none():
    assert t.energy_distance(np.ones((20, 2)), np.ones((30, 2))) == 0.0
    assert t.energy_test(np.ones((20, 2)), np.ones((30, 2)), 99, draw) == (0.0, 1.0)


def test_the_permutation_test_finds_a_shift_and_its_p_value_is_never_nothing():
    _, p_value = t.energy_test(draw.normal(size=(80, 3)), draw.normal(size=(80, 3)) + 1.0, 199, draw)
    assert p_value == pytest.approx(1 / 200)


def test_the_permutation_test_is_quiet_as_often_as_it_says():
    found = [t.energy_test(draw.normal(size=(20, 2)), draw.normal(size=(40, 2)), 99, draw)[1] for _ in range(400)]
    assert np.mean(np.asarray(found) <= 0.05) == pytest.approx(0.05, abs=0.033)


def test_the_permutation_test_agrees_with_dividing_one_by_one():
    now, before = draw.normal(size=(12, 2)), draw.normal(size=(15, 2)) + 0.4
    both = np.concatenate([now, before])
    found, p_value = t.energy_test(now, before, 499, np.random.default_rng(3))
    again = np.random.default_rng(3)
    orders = [again.permutation(27) for _ in range(499)]
    larger = [t.energy_distance(both[order[:12]], both[order[12:]]) >= found - 1e-6 for order in orders]
    assert p_value == pytest.approx((sum(larger) + 1) / 500, abs=0.003)
