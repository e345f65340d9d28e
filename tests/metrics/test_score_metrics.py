"""Scores of likeness, held to scipy and scikit-learn."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score, roc_auc_score

from burnish.core.shelves import Shelf
from burnish.metrics._scores import ScoreOutcome


def score(name, outcome):
    return Shelf("metrics").get(name)().score(outcome)[name]


def test_correlations_are_scipys(make_outcome):
    outcome = make_outcome(ScoreOutcome, seed=5)
    assert score("pearson", outcome) == pytest.approx(stats.pearsonr(outcome.gold, outcome.predicted)[0])
    assert score("spearman", outcome) == pytest.approx(stats.spearmanr(outcome.gold, outcome.predicted)[0])


@pytest.mark.parametrize("name", ["pearson", "spearman"])
def test_a_constant_side_has_no_correlation(name):
    assert score(name, ScoreOutcome(np.array([0.2, 0.2, 0.2]), np.array([0.1, 0.5, 0.9]))) == 0.0


def test_auc_is_scikit_learns_ties_counting_half(make_outcome):
    outcome = make_outcome(ScoreOutcome, seed=6)
    tied = ScoreOutcome(outcome.gold, np.round(outcome.predicted, 1))
    assert score("auc", tied) == pytest.approx(roc_auc_score(tied.gold > 0.5, tied.predicted))


def test_the_best_f1_is_the_best_over_all_thresholds(make_outcome):
    outcome = make_outcome(ScoreOutcome, seed=7)
    tried = [f1_score(outcome.gold > 0.5, outcome.predicted >= cut) for cut in outcome.predicted]
    assert score("best_f1", outcome) == pytest.approx(max(tried))


def test_the_mean_absolute_error_is_a_share_of_the_scale():
    outcome = ScoreOutcome(np.array([0.0, 1.0]), np.array([0.1, 0.7]), scale=(0, 5))
    assert score("mae", outcome) == pytest.approx((0.1 + 0.3) / 2)


def test_a_quarter_of_the_scale_away_is_wrong_and_is_shown_on_the_users_scale():
    outcome = ScoreOutcome(np.array([0.0, 0.5]), np.array([0.25, 0.7]), scale=(1, 5))
    assert outcome.is_wrong().tolist() == [True, False]
    assert outcome.words_of(0) == (["1.00"], ["2.00"])
