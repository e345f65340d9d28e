from types import SimpleNamespace

import pytest

from burnish.core.shelves import Shelf
from burnish.flows.weights import output_weights


def weights(asked, task, labels, *examples):
    """The weights for a corpus of these examples' labels."""
    task = Shelf("tasks").build(task)
    key = {"classification": "label", "multilabel": "labels", "tokens": "span_labels"}[task.part_name]
    train = SimpleNamespace(corpus=[{key: one} for one in examples])
    return output_weights(asked, SimpleNamespace(task=task, labels=labels, train=train, members={}))


def test_the_weights_of_several_tasks_stand_one_task_after_the_other():
    of_tasks = {
        "mood": ("classification", ("a", "b"), [{"label": one} for one in "aaaabb"]),
        "names": ("tokens", ("LOC",), [{"span_labels": ["LOC"]}]),
        "alike": ("matching", (), [{}]),
    }
    members = {
        name: SimpleNamespace(
            task=Shelf("tasks").build(task), labels=labels, train=SimpleNamespace(corpus=rows), members={}
        )
        for name, (task, labels, rows) in of_tasks.items()
    }
    prepared = SimpleNamespace(members=members)
    assert output_weights("none", prepared) is None
    assert output_weights("balanced", prepared) == [0.75, 1.5, 1.0, 1.0, 1.0, 1.0]
    assert output_weights({"names/LOC": 3.0}, prepared) == [1.0, 1.0, 1.0, 3.0, 3.0, 1.0]


def test_none_weighs_nothing():
    assert weights("none", "classification", ("a", "b"), "a", "a", "b") is None


def test_balanced_weighs_a_class_by_the_inverse_of_its_rows():
    # As scikit-learn's class_weight="balanced": rows / (labels × rows of the label) = 6 / (2 × 4) and 6 / (2 × 2).
    assert weights("balanced", "classification", ("a", "b"), *"aaaabb") == [0.75, 1.5]


def test_balanced_weighs_the_yes_of_a_label_by_its_noes():
    # 4 rows: "a" in three of them, so 1 no for 3 yes; "b" in one, so 3 noes for 1 yes; "c" in none.
    rows = (["a"], ["a", "b"], ["a"], [])
    assert weights("balanced", "multilabel", ("a", "b", "c"), *rows) == [pytest.approx(1 / 3), 3.0, 4.0]


def test_both_tags_of_a_span_label_share_its_weight_and_o_keeps_one():
    # 4 spans: 4 / (2 × 3) for PER, 4 / (2 × 1) for LOC; the outputs are O, B-LOC, I-LOC, B-PER, I-PER.
    found = weights("balanced", "tokens", ("LOC", "PER"), ["PER", "PER"], ["LOC", "PER"])
    assert found == [1.0, 2.0, 2.0, pytest.approx(2 / 3), pytest.approx(2 / 3)]


def test_weights_can_be_given_label_by_label_and_the_others_keep_one():
    assert weights({"b": 2.5}, "classification", ("a", "b")) == [1.0, 2.5]
    assert weights({"LOC": 3.0}, "tokens", ("LOC", "PER")) == [1.0, 3.0, 3.0, 1.0, 1.0]
