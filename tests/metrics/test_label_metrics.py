"""Metrics of labels against scikit-learn, and against numbers worked out by hand."""

import numpy as np
import pytest
from sklearn import metrics as reference

from burnish.metrics._counts import label_counts
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._single import SingleOutcome
from burnish.metrics.accuracy import Accuracy
from burnish.metrics.brier import Brier
from burnish.metrics.f1 import F1
from burnish.metrics.hamming_loss import HammingLoss
from burnish.metrics.nll import Nll
from burnish.metrics.subset_accuracy import SubsetAccuracy


@pytest.fixture
def single(make_outcome):
    return make_outcome(SingleOutcome, seed=1, n_rows=200)


@pytest.fixture
def multi(make_outcome):
    return make_outcome(MultiOutcome, seed=1, n_rows=200)


def test_accuracy_equals_scikit_learns(single):
    top = single.probabilities.argmax(axis=1)
    assert Accuracy().score(single) == {"accuracy": pytest.approx(reference.accuracy_score(single.gold, top))}


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_f1_of_one_label_a_row_equals_scikit_learns(single, average):
    expected = reference.f1_score(single.gold, single.probabilities.argmax(axis=1), average=average)
    assert F1().score(single)[f"{average}_f1"] == pytest.approx(expected)


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_f1_of_many_labels_a_row_equals_scikit_learns(multi, average):
    expected = reference.f1_score(multi.gold, multi.probabilities >= 0.5, average=average)
    assert F1().score(multi)[f"{average}_f1"] == pytest.approx(expected)


def test_f1_is_macro_for_one_label_and_micro_for_many(single, multi):
    assert F1().score(single)["f1"] == F1().score(single)["macro_f1"] != F1().score(single)["micro_f1"]
    assert F1().score(multi)["f1"] == F1().score(multi)["micro_f1"] != F1().score(multi)["macro_f1"]


def test_a_label_that_never_occurs_does_not_lower_macro_f1():
    outcome = SingleOutcome(np.array([0, 1]), np.eye(3)[[0, 1]], ("a", "b", "never seen"))
    assert F1().score(outcome)["macro_f1"] == 1.0


def test_precision_and_recall_by_label_equal_scikit_learns(single):
    counts = label_counts(single, np.ones((1, 200), dtype=np.int64))
    precision, recall, _, support = reference.precision_recall_fscore_support(
        single.gold, single.probabilities.argmax(axis=1), zero_division=0.0
    )
    assert counts.precision[0] == pytest.approx(precision)
    assert counts.recall[0] == pytest.approx(recall)
    assert counts.n_gold[0].tolist() == support.tolist()


def test_subset_accuracy_and_hamming_loss_equal_scikit_learns(multi):
    given = multi.probabilities >= 0.5
    assert SubsetAccuracy().score(multi)["subset_accuracy"] == pytest.approx(
        reference.accuracy_score(multi.gold, given)
    )
    assert HammingLoss().score(multi)["hamming_loss"] == pytest.approx(reference.hamming_loss(multi.gold, given))


def test_each_label_is_given_from_its_own_threshold():
    shares = np.array([[0.3, 0.3]])
    outcome = MultiOutcome(np.array([[True, False]]), shares, np.array([0.3, 0.31]), ("a", "b"))
    assert SubsetAccuracy().score(outcome) == {"subset_accuracy": 1.0}


def test_nll_equals_scikit_learns(single, multi):
    assert Nll().score(single)["nll"] == pytest.approx(reference.log_loss(single.gold, single.probabilities))
    expected = reference.log_loss(multi.gold.ravel(), multi.probabilities.ravel())
    assert Nll().score(multi)["nll"] == pytest.approx(expected)


def test_nll_of_an_impossible_row_is_finite():
    outcome = SingleOutcome(np.array([1]), np.array([[1.0, 0.0]]), ("a", "b"))
    assert Nll().score(outcome)["nll"] == pytest.approx(-np.log(np.finfo(float).eps))


def test_brier_sums_squared_distances_over_labels():
    # (0.7 − 1)² + 0.2² + 0.1² = 0.14 and 0.5² + (0.5 − 1)² + 0² = 0.50; their mean is 0.32
    shares = np.array([[0.7, 0.2, 0.1], [0.5, 0.5, 0.0]])
    assert Brier().score(SingleOutcome(np.array([0, 1]), shares, ("a", "b", "c"))) == {"brier": pytest.approx(0.32)}


def test_brier_of_many_labels_equals_scikit_learns_of_all_decisions(multi):
    expected = reference.brier_score_loss(multi.gold.ravel(), multi.probabilities.ravel())
    assert Brier().score(multi)["brier"] == pytest.approx(expected)
