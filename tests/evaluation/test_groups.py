import numpy as np
import pytest

from burnish.evaluation.groups import MOST_VALUES, Scorer, by_length, by_value
from burnish.metrics._single import SingleOutcome
from burnish.metrics.accuracy import Accuracy

SCORER = Scorer([Accuracy()], ["accuracy", "a score that this task lacks"])


def outcome(is_right):
    gold = 1 - np.array(is_right, dtype=np.int64)
    return SingleOutcome(gold, np.tile([0.9, 0.1], (len(gold), 1)), ("a", "b"))


def test_lengths_fall_into_quarters_from_short_to_long():
    groups = by_length(outcome([1, 1, 1, 0, 0, 0, 1, 1]), np.array([8, 7, 6, 5, 4, 3, 2, 1]), SCORER)
    assert [(group.name, group.n, group.scores["accuracy"]) for group in groups] == [
        ("1–2 tokens", 2, 1.0),
        ("3–4 tokens", 2, 0.0),
        ("5–6 tokens", 2, 0.5),
        ("7–8 tokens", 2, 1.0),
    ]


def test_equally_long_rows_stay_together():
    groups = by_length(outcome([1] * 10), np.array([4] * 9 + [30]), SCORER)
    assert [(group.name, group.n) for group in groups] == [("4 tokens", 9), ("30 tokens", 1)]


def test_rows_that_are_all_equally_long_have_no_lengths():
    assert by_length(outcome([1, 0]), np.array([4, 4]), SCORER) == []


def test_no_rows_have_no_lengths():
    assert by_length(outcome([]), np.array([], dtype=int), SCORER) == []


def test_values_come_with_their_rows_the_commonest_first():
    groups = by_value(outcome([1, 0, 1]), ["web", "app", "web"], SCORER)
    assert [(group.name, group.n, group.scores) for group in groups] == [
        ("web", 2, {"accuracy": 1.0}),
        ("app", 1, {"accuracy": 0.0}),
    ]


@pytest.mark.parametrize("n_values", [MOST_VALUES, MOST_VALUES + 5])
def test_a_column_of_many_values_is_cut(n_values):
    groups = by_value(outcome([1] * n_values), [f"{row}" for row in range(n_values)], SCORER)
    assert len(groups) == MOST_VALUES
