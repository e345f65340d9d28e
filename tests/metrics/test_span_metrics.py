"""Entity and token scores against seqeval and scikit-learn."""

import numpy as np
import pytest
from seqeval import metrics as seqeval
from sklearn.metrics import accuracy_score, f1_score

from burnish.metrics._counts import label_counts
from burnish.metrics._spans import Span, SpanOutcome
from burnish.metrics.entity_f1 import EntityF1
from burnish.metrics.token_f1 import TokenF1


@pytest.fixture(params=range(5))
def outcome(request, make_outcome):
    return make_outcome(SpanOutcome, seed=request.param, n_rows=80)


def flat(rows):
    return [tag for row in rows for tag in row]


def test_entity_scores_equal_seqevals(outcome):
    gold, found = outcome.gold_tags, outcome.predicted_tags
    assert EntityF1().score(outcome) == pytest.approx(
        {
            "entity_f1": seqeval.f1_score(gold, found),
            "entity_precision": seqeval.precision_score(gold, found),
            "entity_recall": seqeval.recall_score(gold, found),
            "entity_macro_f1": seqeval.f1_score(gold, found, average="macro"),
        }
    )


def test_entity_scores_by_type_equal_seqevals(outcome):
    counts = label_counts(outcome, np.ones((1, len(outcome)), dtype=np.int64))
    expected = seqeval.f1_score(outcome.gold_tags, outcome.predicted_tags, average=None)
    assert counts.f1[0] == pytest.approx(expected)


def test_token_scores_equal_scikit_learns_over_tags(outcome):
    gold, found = flat(outcome.gold_tags), flat(outcome.predicted_tags)
    inside = sorted({*gold, *found} - {"O"})
    assert TokenF1().score(outcome) == pytest.approx(
        {
            "token_f1": accuracy_score(gold, found),
            "token_f1_without_o": f1_score(gold, found, labels=inside, average="micro"),
            "token_macro_f1": f1_score(gold, found, average="macro"),
        }
    )


def test_a_span_with_wrong_bounds_or_label_is_wrong_twice():
    # 1 right; 3 predicted, 3 gold: precision, recall and F1 are all 1/3
    gold = [[Span(0, 2, "a"), Span(3, 5, "a"), Span(6, 9, "b")]]
    found = [[Span(0, 2, "a", 0.2), Span(3, 4, "a"), Span(6, 9, "a")]]
    scores = EntityF1().score(SpanOutcome(gold, found, [[]], [[]], [[]], ("a", "b")))
    assert scores["entity_f1"] == scores["entity_precision"] == scores["entity_recall"] == pytest.approx(1 / 3)


def test_a_span_predicted_twice_counts_once():
    twice = [[Span(0, 2, "a", 0.2), Span(0, 2, "a", 0.9)]]
    scores = EntityF1().score(SpanOutcome([[Span(0, 2, "a")]], twice, [[]], [[]], [[]], ("a",)))
    assert scores["entity_precision"] == 1.0


def test_rows_without_any_span_score_nothing_and_do_not_warn():
    scores = EntityF1().score(SpanOutcome([[]], [[]], [["O"]], [["O"]], [[1.0]], ("a",)))
    assert scores["entity_f1"] == 0.0
    assert TokenF1().score(SpanOutcome([[]], [[]], [["O"]], [["O"]], [[1.0]], ("a",)))["token_f1"] == 1.0
