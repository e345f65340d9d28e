"""SemEval-2010's F1, by hand."""

import numpy as np
import pytest

from burnish.core.shelves import Shelf
from burnish.metrics._relations import RelationOutcome, has_direction, relation_of
from burnish.metrics._single import SingleOutcome


def f1(gold, answers, no_relation="Other"):
    labels = tuple(sorted({*gold, *answers}))
    index = {label: number for number, label in enumerate(labels)}
    given = np.eye(len(labels))[[index[label] for label in answers]]
    outcome = RelationOutcome(SingleOutcome(np.array([index[one] for one in gold]), given, labels), no_relation)
    return Shelf("metrics").get("semeval_f1")().score(outcome)["semeval_f1"]


def test_a_wrong_direction_counts_against_precision_and_recall_of_its_relation():
    """Gold and answers of seven rows, A and B standing for relations.

    row      1     2     3     4     5      6      7
    gold     A12   A12   A21   B12   B12    Other  Other
    answer   A12   A21   A21   B12   Other  B12    Other

    A: right 2 (rows 1, 3); answered 3 (rows 1-3); gold 3.  P = R = 2/3, F1 = 2/3.
    B: right 1 (row 4); answered 2 (rows 4, 6); gold 2.     P = R = 1/2, F1 = 1/2.
    Other is left out of the mean: (2/3 + 1/2) / 2 = 7/12.
    Were the direction ignored, row 2 would be right and A's F1 1; were directions classes of their own, A12 would
    have F1 2/3, A21 2/3, B12 1/2, and the mean would be 11/18.
    """
    a12, a21, b12 = "A(e1,e2)", "A(e2,e1)", "B(e1,e2)"
    gold = [a12, a12, a21, b12, b12, "Other", "Other"]
    answers = [a12, a21, a21, b12, "Other", b12, "Other"]
    assert f1(gold, answers) == pytest.approx(7 / 12)


def test_the_mean_is_over_the_relations_of_the_key_as_in_the_official_scorer():
    """A: right 1 of 1 answered and 2 gold, F1 = 2/3. B is answered once and never gold: it has no place in the mean."""
    assert f1(["A(e1,e2)", "A(e1,e2)"], ["A(e1,e2)", "B(e1,e2)"]) == pytest.approx(2 / 3)


def test_a_relation_that_is_never_right_counts_0():
    """A has F1 1, B (gold once, answered Other) has 0: mean 1/2."""
    assert f1(["A(e1,e2)", "B(e2,e1)"], ["A(e1,e2)", "Other"]) == pytest.approx(1 / 2)


def test_the_label_of_no_relation_is_the_tasks():
    """With `none` left out only A counts: F1 1; with nothing so named, `none` counts too: (1 + 0) / 2."""
    gold, answers = ["A(e1,e2)", "none"], ["A(e1,e2)", "B(e1,e2)"]
    assert f1(gold, answers, "none") == 1.0
    assert f1(gold, answers, "Other") == pytest.approx(1 / 2)


def test_labels_without_a_direction_are_relations_of_their_own():
    """x: right 1, answered 2, gold 1: F1 = 2/3. y (past): right 0 of 1 gold: 0. z: right 1 of 1: 1. Mean 5/9."""
    assert f1(["x", "y (past)", "z"], ["x", "x", "z"], "none") == pytest.approx(5 / 9)


def test_where_gold_has_no_relation_only_answering_none_is_right():
    assert f1(["Other", "Other"], ["Other", "Other"]) == 1.0
    assert f1(["Other", "Other"], ["Other", "A(e1,e2)"]) == 0.0


def test_a_label_tells_its_relation_and_whether_it_has_a_direction():
    names = ["Cause-Effect(e2,e1)", "Other", "owns (e1)", "(e1,e2)"]
    assert [relation_of(name) for name in names] == ["Cause-Effect", "Other", "owns (e1)", "(e1,e2)"]
    assert [has_direction(name) for name in names] == [True, False, False, False]


def test_an_outcome_of_relations_tells_what_one_of_labels_tells(make_outcome):
    """Everything but the score that leads is that of the labels alone."""
    outcome = make_outcome(RelationOutcome, seed=2)
    labels = outcome.of_labels
    for name in ("accuracy", "f1", "ece", "nll", "brier", "aurc"):
        metric = Shelf("metrics").get(name)()
        assert metric.score(outcome) == metric.score(labels)
    assert outcome.words_of(3) == labels.words_of(3)
    assert outcome.gold_of(3) == labels.gold_of(3)
    assert outcome.headline[0] == "semeval_f1"
