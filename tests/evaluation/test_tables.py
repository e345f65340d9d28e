import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from burnish.evaluation.tables import (
    NOTHING,
    average_rows,
    class_rows,
    confusion_of,
    span_faults,
    tag_rows,
    worst_pairs,
)
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._single import SingleOutcome
from burnish.metrics._spans import Span, SpanOutcome

GOLD = [[Span(0, 2, "a"), Span(3, 5, "a"), Span(6, 9, "b"), Span(10, 12, "b"), Span(20, 22, "a")]]
FOUND = [[Span(0, 2, "a"), Span(3, 5, "b"), Span(6, 8, "b"), Span(14, 15, "a")]]
SPANS = SpanOutcome(GOLD, FOUND, [["B-a", "O"]], [["B-a", "B-b"]], [[1.0, 0.6]], ("a", "b"))


def test_rows_by_label_and_averages_equal_scikit_learns(make_outcome):
    outcome = make_outcome(SingleOutcome, n_rows=150)
    top = outcome.probabilities.argmax(axis=1)
    expected = np.array(precision_recall_fscore_support(outcome.gold, top)).T
    assert [[row.precision, row.recall, row.f1, row.support] for row in class_rows(outcome)] == pytest.approx(expected)
    for row in average_rows(outcome):
        precision, recall, f1, _ = precision_recall_fscore_support(outcome.gold, top, average=row.label)
        assert (row.precision, row.recall, row.f1) == pytest.approx((precision, recall, f1))


def test_the_confusion_of_labels_equals_scikit_learns(make_outcome):
    outcome = make_outcome(SingleOutcome)
    counts = np.zeros((5, 5), int)
    for gold, predicted, n in confusion_of(outcome).cells:
        counts[gold, predicted] = n
    assert counts.tolist() == confusion_matrix(outcome.gold, outcome.probabilities.argmax(axis=1)).tolist()


def test_spans_are_confused_when_their_bounds_agree_and_stand_against_nothing_otherwise():
    confusion = confusion_of(SPANS)
    name = confusion.labels
    assert {(name[gold], name[found]): n for gold, found, n in confusion.cells} == {
        ("a", "a"): 1,
        ("a", "b"): 1,
        ("b", NOTHING): 2,
        ("a", NOTHING): 1,
        (NOTHING, "b"): 1,
        (NOTHING, "a"): 1,
    }


def test_each_gold_span_has_one_fate_and_inventions_are_counted_apart():
    assert span_faults(SPANS).model_dump() == {
        "right": 1,
        "wrong_label": 1,
        "wrong_bounds": 1,
        "missed": 2,
        "invented": 1,
    }


def test_many_labels_have_no_confusion_and_only_spans_have_tags(make_outcome):
    multi = make_outcome(MultiOutcome)
    assert confusion_of(multi) is None
    assert worst_pairs(None) == []
    assert tag_rows(multi) == []
    assert span_faults(multi) is None
    assert [row.label for row in tag_rows(SPANS)] == ["B-a", "B-b", "O"]


def test_the_commonest_confusion_comes_first_with_its_share_of_the_gold_label():
    gold = np.array([0, 0, 0, 0, 1, 1])
    outcome = SingleOutcome(gold, np.eye(3)[[1, 1, 1, 0, 2, 1]], ("a", "b", "c"))
    first, second = worst_pairs(confusion_of(outcome))
    assert first.model_dump() == {"gold": "a", "predicted": "b", "n": 3, "share": 0.75}
    assert (second.gold, second.predicted, second.share) == ("b", "c", 0.5)
