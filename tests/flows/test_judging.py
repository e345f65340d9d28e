"""What the judge section of a recipe decides, on logits made by hand."""

import numpy as np
import pytest

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.flows.judging import Judge, Judged, check_judging
from burnish.recipe.schema import JudgeSection
from burnish.tasks._contract import Answered, Decision

LABELS = ("a", "b")
CLASSIFICATION = Shelf("tasks").build("classification")


def answered(n_rows=400, share_right=0.8, sure=4.0):
    """Rows answered `a` with logits (sure, 0), of which a share is right; a fifth of them come from the shop."""
    right = np.random.default_rng(0).random(n_rows) < share_right
    return [
        Answered(
            {"text": f"row {row}", "label": "a" if is_right else "b", "column.channel": "shop" if row % 5 else "web"},
            [{"input_ids": np.arange(3 + row % 7, dtype=np.int32)}],
            [np.array([sure + row / n_rows, 0.0], np.float32)],
        )
        for row, is_right in enumerate(right)
    ]


def judge(task=CLASSIFICATION, **settings):
    return Judge(task, LABELS, JudgeSection(**{"n_bootstrap": 0, **settings}))


def test_a_temperature_makes_confidences_honest_and_none_leaves_them():
    rows = answered()
    fitted, outcome = judge(calibration="temperature").decide(rows)
    left, raw = judge(calibration="none").decide(rows)
    assert (fitted.calibration, left.calibration) == ("temperature", "none")
    assert left.parameters == {"temperature": 1.0}
    share_right = np.mean([row.example["label"] == "a" for row in rows])
    assert outcome.probabilities.max(1).mean() == pytest.approx(share_right, abs=0.01)
    assert raw.probabilities.max(1).mean() > 0.98


def test_a_higher_wanted_precision_abstains_more():
    rows = answered(share_right=0.97)
    lax, strict = (judge(target_precision=target).decide(rows)[0].abstain_below for target in (0.9, 0.999))
    assert lax < strict


def test_the_metric_is_the_tasks_own_unless_the_recipe_names_another():
    assert judge().metric.part_name == "accuracy"
    other = judge(metric="nll")
    assert (other.metric.part_name, other.metric.is_better_high) == ("nll", False)
    assert "nll" in other.dev_scores(answered())


def test_dev_scores_count_the_classes_that_were_answered():
    scores = judge().dev_scores(answered())
    assert (scores["n_predicted_classes"], scores["n_gold_classes"]) == (1.0, 2.0)


def report(**settings):
    asked, rows = judge(**settings), answered()
    about = {"split": "test", "seed": 7}
    return asked.report(Judged(rows, Decision(), None), about)


def test_slices_are_the_values_of_the_columns_that_the_recipe_names():
    assert report().by_slice == {}
    [(name, groups)] = report(slices=["channel"]).by_slice.items()
    assert (name, [(group.name, group.n) for group in groups]) == ("channel", [("shop", 320), ("web", 80)])


def test_a_row_without_a_value_is_a_slice_of_its_own():
    [groups] = report(slices=["nothing"]).by_slice.values()
    assert [group.name for group in groups] == ["(empty)"]


def test_as_many_errors_are_listed_as_the_recipe_asks_for():
    assert [len(report(n_errors=n).confident_errors) for n in (0, 3, 50)] == [0, 3, 50]
    assert len(report(n_errors=3).hardest_errors) == 3


def test_resamples_make_intervals():
    assert report().intervals == {}
    low, high = report(n_bootstrap=50).intervals["accuracy"]
    assert low < high


def test_each_label_gets_a_threshold_of_its_own_on_dev():
    task = Shelf("tasks").build("multilabel")
    rows = [
        Answered({"text": "x", "labels": ["b"] if row > 60 else []}, [], [np.array([-5.0, row / 40 - 3], np.float32)])
        for row in range(100)
    ]
    decision, outcome = judge(task).decide(rows)
    assert decision.label_thresholds[0] == 0.5
    assert decision.label_thresholds[1] < 0.5
    assert (outcome.probabilities[:, 1] >= decision.label_thresholds[1]).sum() == 39


@pytest.mark.parametrize(
    ("metric", "sentence"),
    [
        (
            "acuracy",
            "judge.metric: 'acuracy' does not judge classification. Did you mean 'accuracy'? It is judged by: ",
        ),
        ("entity_f1", "judge.metric: 'entity_f1' does not judge classification. It is judged by: accuracy, "),
    ],
)
def test_a_metric_that_does_not_judge_the_task_is_refused(metric, sentence):
    with pytest.raises(UserError) as caught:
        check_judging(JudgeSection(metric=metric), CLASSIFICATION)
    assert str(caught.value).startswith(sentence)
    check_judging(JudgeSection(metric="f1"), CLASSIFICATION)
