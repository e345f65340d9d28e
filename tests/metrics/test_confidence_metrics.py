"""ECE and AURC against numbers worked out by hand and against plain loops over the definition."""

import numpy as np
import pytest

from burnish.metrics._multi import MultiOutcome
from burnish.metrics._single import SingleOutcome
from burnish.metrics._spans import Span, SpanOutcome
from burnish.metrics.aurc import Aurc
from burnish.metrics.ece import Ece


def binary(confidence, is_right):
    """Rows whose top label is 0 with the given confidence (above 0.5), right or wrong."""
    shares = np.stack([np.array(confidence), 1 - np.array(confidence)], axis=1)
    return SingleOutcome(1 - np.array(is_right, dtype=np.int64), shares, ("yes", "no"))


def test_ece_weighs_the_gap_of_each_bin_by_its_size():
    # bin (0.8, 0.867]: two answers, mean confidence 0.84, half right: gap 0.34
    # bin (0.933, 1]: two answers, mean confidence 0.97, both right: gap 0.03; (0.34 + 0.03) / 2 = 0.185
    outcome = binary([0.82, 0.86, 0.96, 0.98], [1, 0, 1, 1])
    assert Ece().score(outcome) == {"ece": pytest.approx(0.185)}


def test_ece_of_many_labels_counts_every_decision_by_its_own_probability():
    # 0.04 that came true and 0.02 that did not share the first bin: |1 − 0.06| / 2 = 0.47; nothing reaches 0.5
    outcome = MultiOutcome(np.array([[True, False]]), np.array([[0.04, 0.02]]), np.full(2, 0.5), ("a", "b"))
    assert Ece().score(outcome) == {"ece": pytest.approx(0.47), "given_ece": 0.0}


def test_ece_of_given_labels_leaves_the_sure_no_out():
    shares = np.array([[0.9] + [0.0] * 9])
    outcome = MultiOutcome(np.zeros((1, 10), bool), shares, np.full(10, 0.5), tuple("abcdefghij"))
    assert Ece().score(outcome) == {"ece": pytest.approx(0.09), "given_ece": pytest.approx(0.9)}


def test_ece_of_spans_measures_words_and_whole_spans_apart():
    gold, found = [[Span(0, 3, "a")]], [[Span(0, 2, "a", 0.6)]]
    outcome = SpanOutcome(gold, found, [["B-a", "I-a"]], [["B-a", "O"]], [[0.9, 0.7]], ("a",))
    # words: |1 − 0.9| and |0 − 0.7| in bins of their own, mean 0.4; the span is wrong at 0.6
    assert Ece().score(outcome) == {"ece": pytest.approx(0.4), "span_ece": pytest.approx(0.6)}


def test_aurc_is_the_mean_risk_over_all_coverages():
    # right, wrong, right, wrong from sure to unsure: risks 0, 1/2, 1/3, 1/2, mean 1/3
    assert Aurc().score(binary([0.95, 0.9, 0.8, 0.7], [1, 0, 1, 0])) == {"aurc": pytest.approx(1 / 3)}


def test_aurc_of_equal_confidences_is_the_mean_over_their_orders():
    # one wrong of three equal: mean over orders of (risk 1 + risk 2 + risk 3) / 3, and every risk is 1/3 on average
    assert Aurc().score(binary([0.9, 0.9, 0.9], [1, 0, 1])) == {"aurc": pytest.approx(1 / 3)}
    # a right one before two equal ones of which one is wrong: risks 0, then (0 + 1/2) / 2, then 1/3
    mixed = binary([0.95, 0.9, 0.9], [1, 0, 1])
    assert Aurc().score(mixed) == {"aurc": pytest.approx((0 + 0.25 + 1 / 3) / 3)}


def test_aurc_equals_a_plain_loop_when_no_confidences_are_equal(make_outcome):
    outcome = make_outcome(SingleOutcome, seed=9)
    answers = outcome.answers()
    is_wrong = ~answers.is_correct[np.argsort(-answers.confidence)]
    expected = np.mean([is_wrong[: kept + 1].mean() for kept in range(len(is_wrong))])
    assert Aurc().score(outcome)["aurc"] == pytest.approx(expected)


def test_answers_of_many_labels_are_the_labels_given():
    gold = np.array([[True, False], [False, False]])
    outcome = MultiOutcome(gold, np.array([[0.9, 0.8], [0.1, 0.2]]), np.full(2, 0.5), ("a", "b"))
    answers = outcome.answers()
    assert answers.confidence.tolist() == [0.9, 0.8]
    assert answers.is_correct.tolist() == [True, False]
    assert answers.row.tolist() == [0, 0]


def test_a_span_answer_is_right_only_with_start_end_and_label():
    gold = [[Span(0, 3, "a")]]
    found = [[Span(0, 3, "a", 0.9), Span(0, 3, "b", 0.8), Span(0, 2, "a", 0.7)]]
    outcome = SpanOutcome(gold, found, [["B-a"]], [["B-a"]], [[1.0]], ("a", "b"))
    assert outcome.answers().is_correct.tolist() == [True, False, False]
