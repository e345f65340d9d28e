from __future__ import annotations

from pathlib import Path

import pytest

from burnish.core.errors import UserError
from burnish.recipe.load import load, restore
from burnish.recipe.show import filled

GOOD = """\
task: classification
data:
  train: train.csv
  columns: {text: utterance, label: intent}
train:
  epochs: 3
  learning_rate: 1e-4
"""


def test_a_recipe_is_read_and_its_defaults_stand(recipe):
    loaded = load(recipe(GOOD))
    assert loaded.recipe.task.part_name == "classification"
    assert loaded.recipe.base == "minilm"
    assert loaded.recipe.train.epochs == 3
    assert loaded.recipe.train.learning_rate == pytest.approx(0.0001)
    assert loaded.recipe.data.dev == "10%"
    assert loaded.path == Path("recipe.yaml")


def test_a_recipe_may_come_from_a_mapping_or_from_keywords_alone():
    mapping = load({"task": "classification", "data": {"train": "a.csv"}}).recipe
    keywords = load(task="classification", train="a.csv").recipe
    assert filled(mapping) == filled(keywords)


def test_the_callers_mapping_is_left_as_it_was():
    given = {"task": "classification", "data": {"train": "${HOME}/a.csv"}, "train": {"schedule": {"warmup": 0.2}}}
    load(given, ["train.epochs=2"])
    assert given == {
        "task": "classification",
        "data": {"train": "${HOME}/a.csv"},
        "train": {"schedule": {"warmup": 0.2}},
    }


def test_a_part_takes_a_name_or_a_mapping_with_settings(recipe):
    loaded = load(recipe(GOOD + "  schedule: {name: cosine, warmup: 0.1}\n  optimizer: sgd\n"))
    assert loaded.recipe.train.schedule.as_recipe()["name"] == "cosine"
    assert loaded.recipe.train.schedule.warmup == pytest.approx(0.1)
    assert loaded.recipe.train.optimizer.part_name == "sgd"


def test_settings_without_a_name_go_to_the_default_part(recipe):
    loaded = load(recipe(GOOD + "  schedule: {warmup: 0.3}\n"))
    assert loaded.recipe.train.schedule.part_name == "linear"
    assert loaded.recipe.train.schedule.warmup == pytest.approx(0.3)


def test_text_that_yaml_takes_for_a_number_or_a_boolean_is_taken_as_written(recipe):
    text = GOOD.replace("{text: utterance, label: intent}", "{text: 007, label: true, text_pair: 1.50}")
    assert load(recipe(text)).recipe.data.columns == {"text": "007", "label": "true", "text_pair": "1.50"}


def test_no_and_yes_and_numbers_may_be_labels(recipe):
    weights = "  class_weights: {no: 2.0, yes: 1.0, null: 3, 1: 4, 1.50: 5}\n"
    assert load(recipe(GOOD + weights)).recipe.train.class_weights == {"no": 2, "yes": 1, "null": 3, "1": 4, "1.50": 5}


def test_a_missing_recipe_is_named_with_the_nearest_file(recipe):
    recipe(GOOD, "recipes.yaml")
    with pytest.raises(UserError) as caught:
        load("recipe.yaml")
    assert str(caught.value) == (
        "recipe.yaml: there is no such recipe. Did you mean 'recipes.yaml'? `burnish init DATA` writes one."
    )


def test_a_recipe_in_a_missing_folder_is_refused(recipe):
    with pytest.raises(UserError, match=r"^nowhere/recipe.yaml: there is no such recipe. `burnish init DATA` writes"):
        load("nowhere/recipe.yaml")


def test_a_folder_is_no_recipe(recipe):
    recipe(GOOD, "runs/recipe.yaml")
    with pytest.raises(
        UserError, match=r"^runs: is a folder; name the recipe's file in it, such as runs/recipe.yaml\.$"
    ):
        load("runs")


def test_a_list_is_no_recipe():
    with pytest.raises(UserError, match=r"a recipe is a YAML file, a mapping, or nothing but arguments; got a list\."):
        load([1])


def test_an_include_lies_below_the_file_that_names_it(recipe):
    recipe("task: multilabel\ntrain: {epochs: 9, seed: 3}\n", "shared/base.yaml")
    loaded = load(recipe("include: shared/base.yaml\n" + GOOD))
    assert loaded.recipe.task.part_name == "classification"
    assert loaded.recipe.train.epochs == 3
    assert loaded.recipe.train.seed == 3


def test_later_includes_lie_above_earlier_ones(recipe):
    recipe("train: {seed: 1, patience: 1}\n", "a.yaml")
    recipe("train: {seed: 2}\n", "b.yaml")
    loaded = load(recipe("include: [a.yaml, b.yaml]\n" + GOOD))
    assert (loaded.recipe.train.seed, loaded.recipe.train.patience) == (2, 1)


def test_another_part_does_not_inherit_the_settings_of_the_one_it_replaces(recipe):
    recipe("train: {schedule: {name: cosine, warmup: 0.5}}\n", "base.yaml")
    loaded = load(recipe("include: base.yaml\n" + GOOD + "  schedule: {name: linear}\n"))
    assert loaded.recipe.train.schedule.warmup != pytest.approx(0.5)


def test_a_fault_in_an_included_file_names_that_file(recipe):
    recipe("train:\n  seed: -1\n", "shared/base.yaml")
    with pytest.raises(UserError, match=r"^shared/base.yaml:2: train.seed must be 0 or more; got -1\.$"):
        load(recipe("include: shared/base.yaml\n" + GOOD))


def test_includes_that_go_in_a_circle_are_named(recipe):
    recipe("include: recipe.yaml\n", "base.yaml")
    with pytest.raises(UserError) as caught:
        load(recipe("include: base.yaml\n" + GOOD))
    assert str(caught.value) == (
        "base.yaml:1: include goes in a circle: recipe.yaml → base.yaml → recipe.yaml; leave one of them out."
    )


def test_an_include_that_is_not_there_names_the_line_that_wants_it(recipe):
    with pytest.raises(UserError, match=r"^recipe.yaml:1: include: base.yaml: there is no such recipe\."):
        load(recipe("include: base.yaml\n" + GOOD))


def test_an_include_that_is_no_file_name_is_refused(recipe):
    with pytest.raises(UserError, match=r"^recipe.yaml:1: include must be a file name or a list of them; got 3\.$"):
        load(recipe("include: [3]\n" + GOOD))


def test_an_include_that_is_a_mapping_is_refused(recipe):
    with pytest.raises(
        UserError, match=r"^recipe.yaml:1: include must be a file name or a list of them; got a mapping"
    ):
        load(recipe("include: {a: b}\n" + GOOD))


def test_places_tell_where_a_value_was_written(recipe):
    loaded = load(recipe(GOOD), ["train.seed=9"])
    assert loaded.place("data", "columns", "label") == "recipe.yaml:4: data.columns.label"
    assert loaded.place("data", "encoding") == "recipe.yaml:2: data.encoding"
    assert loaded.place("train", "seed") == "override 'train.seed=9': train.seed"
    assert load(task="classification", train="a.csv").place("judge", "gates") == "judge.gates"


def test_relative_paths_lead_from_the_file_they_are_written_in(recipe):
    recipe("data: {dev: dev.csv}\n", "shared/base.yaml")
    name = recipe("include: ../shared/base.yaml\n" + GOOD, "recipes/intent.yaml")
    loaded = load(name, ["data.test=test.csv"])
    assert loaded.folder == Path("recipes")
    assert loaded.located("data", "train") == Path("recipes/train.csv")
    assert loaded.located("data", "dev") == Path("shared/dev.csv")
    assert loaded.located("data", "test") == Path("test.csv")
    assert loaded.recipe.data.train == "train.csv"


def test_paths_in_lists_and_mappings_are_led_too_and_other_things_left_alone(recipe):
    text = GOOD.replace("train: train.csv", "train: [a.csv, /b.csv, 'hub:x']").replace(
        "  columns", "  dev: 10%\n  test: {name: csv, path: c.csv}\n  columns"
    )
    loaded = load(recipe(text, "recipes/r.yaml"))
    assert loaded.located("data", "train") == [Path("recipes/a.csv"), Path("/b.csv"), "hub:x"]
    assert loaded.located("data", "dev") == "10%"
    assert loaded.located("data", "test") == {"name": "csv", "path": Path("recipes/c.csv")}


def test_a_base_is_a_path_only_where_a_folder_of_that_name_stands(recipe):
    Path("recipes/mine").mkdir(parents=True)
    assert load(recipe(GOOD, "recipes/r.yaml")).located("base") == "minilm"
    assert load(recipe("base: mine\n" + GOOD, "recipes/r.yaml")).located("base") == Path("recipes/mine")
    assert load(recipe("base: other\n" + GOOD, "recipes/r.yaml")).located("base") == "other"
    assert load(recipe("base: hub:a/b\n" + GOOD, "recipes/r.yaml")).located("base") == "hub:a/b"


@pytest.mark.parametrize(
    ("named", "led"),
    [("minilm", "minilm"), ("hub:a/b", "hub:a/b"), ("mine", Path("recipes/mine")), ("other", "other")],
)
def test_a_further_base_of_a_task_is_led_as_the_base_is(named, led, recipe):
    Path("recipes/mine").mkdir(parents=True)
    text = GOOD.replace("task: classification", f"task: {{name: image, text_base: {named}}}")
    assert load(recipe(text, "recipes/r.yaml")).located("task", "text_base") == led


def test_rows_given_from_python_are_located_as_they_are():
    rows = [{"text": "${HOME}", "label": "a"}]
    loaded = load(task="classification", train=rows)
    assert loaded.located("data", "train") is rows


def test_a_stored_recipe_comes_back_as_it_was(recipe):
    loaded = load(recipe(GOOD))
    assert filled(restore(filled(loaded.recipe))) == filled(loaded.recipe)


def test_a_damaged_stored_recipe_is_refused():
    with pytest.raises(UserError, match=r"^data.train is missing; it says: "):
        restore({"task": "classification"})


def test_keys_from_python_that_are_no_text_are_refused():
    with pytest.raises(UserError, match=r"^data has the key 3, which must be text\.\nthe recipe has the key 1, "):
        load({1: 2, "task": "classification", "data": {"train": "a.csv", 3: 4}})


def test_dev_may_not_be_left_out():
    with pytest.raises(UserError) as caught:
        load({"task": "classification", "data": {"train": "a.csv", "dev": None}})
    assert str(caught.value).endswith(
        "is needed: it chooses the best epoch and fits the calibration; give a share or a file."
    )


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz", "ROWS.JSONL", "rows.xlsx"])
def test_a_table_is_no_recipe(recipe, name):
    with pytest.raises(UserError) as caught:
        load(recipe("text,label\n", name))
    assert str(caught.value) == (
        f"{name}: is a table, not a recipe; `burnish init {name}` writes one, or give the rows with --train."
    )
