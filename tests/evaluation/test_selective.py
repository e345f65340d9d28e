import numpy as np
import pytest
from scipy.stats import binom

from burnish.evaluation.selective import abstention_threshold, kept_share, precision_bounds, risk_coverage


def answers(n, seed):
    """Answers that are right as often as they say."""
    draw = np.random.default_rng(seed)
    confidence = draw.beta(6, 0.5, size=n)
    return confidence, draw.random(n) < confidence


def test_the_curve_counts_equal_confidences_together():
    curve = risk_coverage(np.array([0.9, 0.5, 0.9, 0.7]), np.array([True, True, False, True]))
    assert curve.threshold.tolist() == [0.9, 0.7, 0.5]
    assert curve.coverage.tolist() == [0.5, 0.75, 1.0]
    assert curve.risk.tolist() == pytest.approx([1 / 2, 1 / 3, 1 / 4])


def test_a_bound_is_the_precision_at_which_so_many_right_answers_are_just_unlikely():
    curve = risk_coverage(np.linspace(1, 0.5, 40), np.arange(40) < 36)
    bound = precision_bounds(curve, 0.05)[-1]
    assert binom.sf(35, 40, bound) == pytest.approx(0.05)


def test_the_bound_without_a_right_answer_is_zero():
    assert precision_bounds(risk_coverage(np.array([0.9]), np.array([False])), 0.1).tolist() == [0.0]


def test_the_promised_precision_holds_on_new_data_nine_times_in_ten():
    new_confidence, is_correct = answers(200_000, seed=1)
    kept = []
    for seed in range(100):
        found = abstention_threshold(*answers(1500, seed + 10), 0.95)
        if found.is_reached:
            kept.append(kept_share(new_confidence, is_correct, found.value)[1])
    assert len(kept) > 50
    assert np.mean(np.array(kept) >= 0.95) >= 0.9


def test_a_higher_target_keeps_less():
    confidence, is_correct = answers(5000, seed=0)
    lax, strict = (abstention_threshold(confidence, is_correct, target) for target in (0.93, 0.97))
    assert lax.is_reached
    assert strict.is_reached
    assert strict.value > lax.value
    assert strict.coverage < lax.coverage


def test_everything_is_answered_when_all_of_it_is_good_enough():
    found = abstention_threshold(np.linspace(0.5, 1, 500), np.ones(500, bool), 0.95)
    assert found == type(found)(value=0.5, coverage=1.0, precision=1.0, is_reached=True)


def test_a_target_out_of_reach_says_so_and_gives_the_best_bound():
    confidence, is_correct = answers(300, seed=0)
    found = abstention_threshold(confidence, is_correct & (np.arange(300) % 2 == 0), 0.95)
    assert not found.is_reached
    assert 0 < found.coverage <= 1


def test_a_handful_of_right_answers_proves_no_precision():
    assert not abstention_threshold(np.linspace(0.8, 1, 20), np.ones(20, bool), 0.95).is_reached


def test_less_doubt_costs_coverage():
    confidence, is_correct = answers(2000, seed=0)
    bold, careful = (abstention_threshold(confidence, is_correct, 0.95, doubt).coverage for doubt in (0.3, 0.001))
    assert careful < bold


def test_without_answers_the_threshold_abstains():
    found = abstention_threshold(np.zeros(0), np.zeros(0, bool), 0.9)
    assert (found.value, found.coverage, found.is_reached) == (1.0, 0.0, False)


def test_kept_share_takes_answers_at_the_threshold_itself():
    assert kept_share(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]), 0.8) == (pytest.approx(2 / 3), 0.5)
    assert kept_share(np.zeros(0), np.zeros(0, bool), 0.8) == (0.0, 0.0)
