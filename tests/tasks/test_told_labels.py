"""Labels told in words, and the head that suits the rows."""

import pytest

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.recipe.load import load, restore
from burnish.recipe.show import filled

TOLD = {"refund": "customer wants money back", "close_account": None}


def task(**settings):
    return Shelf("tasks").build({"name": "classification", **settings})


def test_a_label_without_words_is_told_by_its_name():
    told = {"refund": "customer wants money back", "close_account": "close account"}
    assert task(labels=TOLD).told == told
    assert task(labels=["oil-change_how", "__"]).told == {"oil-change_how": "oil change how", "__": "__"}


def test_numbers_are_labels_as_they_are_in_the_data():
    assert task(labels={0: "bad", 1: "good"}).told == {"0": "bad", "1": "good"}


@pytest.mark.parametrize(
    ("settings", "n_rows", "head"),
    [
        ({}, 64, "cosine"),
        ({}, 65, "cls"),
        ({"head": "mean"}, 5, "mean"),
        ({"labels": TOLD}, 1000, "cosine"),
        ({"head": "cosine"}, 1000, "cosine"),
    ],
)
def test_the_head_follows_the_rows_of_the_median_label_unless_it_is_named(settings, n_rows, head):
    suited = task(**settings).suited({"refund": n_rows, "close_account": n_rows, "rare": 2})
    assert suited.head_part.part_name == head
    assert suited.as_recipe()["head"]["name"] == head


def test_labels_without_any_row_take_the_cosine_head():
    assert task(labels=TOLD).suited({}).as_recipe()["head"] == {"name": "cosine", "pool": "mean", "scale": 20.0}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            "{labels: {a: money back, b: ' Money back '}}",
            "task.labels has the same words for 'a' and 'b', 'Money back'; say what sets them apart.",
        ),
        (
            "{labels: {to_pay: null, b: to pay}}",
            "task.labels has the same words for 'to_pay' and 'b', 'to pay'; say what sets them apart.",
        ),
        ("{labels: {a: ' ', b: null}}", "task.labels has no words for 'a'; write some, or null to take its name."),
        ("{labels: {' ': x, b: null}}", "task.labels has a label without a name; name it, or take it out."),
        (
            "{labels: {a: null, b: null}, head: mean}",
            (
                "task: labels are told in words, which the head 'mean' cannot start from; leave the head out, or set "
                "head: cosine."
            ),
        ),
        ("{labels: 3}", "task.labels must be a mapping, such as {key: value}; got 3."),
    ],
)
def test_words_that_tell_nothing_are_refused(settings, sentence, tmp_path):
    (tmp_path / "recipe.yaml").write_text(f"task: {{name: classification, {settings[1:]}\ndata: {{train: a.csv}}\n")
    with pytest.raises(UserError) as caught:
        load(tmp_path / "recipe.yaml")
    assert str(caught.value) == f"{tmp_path / 'recipe.yaml'}:1: {sentence}"


def test_told_labels_need_no_rows_and_the_filled_recipe_loads_again():
    recipe = load({"task": {"name": "classification", "labels": TOLD}}).recipe
    assert (recipe.data.train, recipe.data.dev) == (None, None)
    assert restore(filled(recipe)).task == recipe.task


@pytest.mark.parametrize("task", ["classification", {"name": "classification", "head": "cosine"}, "tokens"])
def test_without_told_labels_rows_are_needed(task):
    with pytest.raises(UserError, match=r"^data.train is missing; it says: a path, a list of paths,"):
        load({"task": task, "data": {}})
    with pytest.raises(UserError, match=r"^data.train must name the training rows, e.g. train.csv; it is empty\.$"):
        load({"task": task, "data": {"train": None}})


def test_a_share_needs_rows_to_be_cut_from():
    with pytest.raises(UserError) as caught:
        load({"task": {"name": "classification", "labels": TOLD}, "data": {"test": "10%"}})
    assert str(caught.value) == "data.test is a share of data.train, which is not given; name a file; got '10%'."


def test_rows_still_need_dev():
    with pytest.raises(UserError, match=r"^data.dev is needed: it chooses the best epoch and fits the calibration"):
        load({"task": {"name": "classification", "labels": TOLD}, "data": {"train": "a.csv", "dev": None}})
