"""A recipe of several tasks: what is wrong inside a task is told by its place, with the nearest word."""

import pytest

from burnish.recipe.load import load, restore
from burnish.recipe.show import filled, filled_yaml

RECIPE = """
task:
  name: multitask
  tasks:
    mood:
      task: classification
      data: {train: mood.csv, columns: {text: review}}
    names:
      task: tokens
      data: {train: names.jsonl}
"""


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("weight", "wieght: 2"), "task.tasks.mood.wieght is not a setting. Did you mean 'weight'?"),
        (("data", "dev: 95%"), "task.tasks.mood.data.dev must be a share between 0% and 90%, or a file; got '95%'."),
        (("data", "splitt: random"), "task.tasks.mood.data.splitt is not a setting. Did you mean 'split'?"),
        (
            ("task", "clasification"),
            "task.tasks.mood.task: there is no part 'clasification' on the shelf 'tasks'. Did you",
        ),
        (
            ("task", "{name: classification, haed: cls}"),
            "task.tasks.mood.task.haed is not a setting. Did you mean 'head'?",
        ),
        (("weight", "weight: 0"), "task.tasks.mood.weight must be greater than 0; got 0."),
        (("weight", "weight: true"), "task.tasks.mood.weight must be a number; got 'true'."),
    ],
)
def test_a_fault_inside_a_task_is_told_by_its_place(faults, change, sentence):
    where, text = change
    written = {
        "weight": RECIPE.replace("    names:", f"      {text}\n    names:"),
        "data": RECIPE.replace("mood.csv,", f"mood.csv, {text},"),
        "task": RECIPE.replace("task: classification", f"task: {text}"),
    }[where]
    told = faults(written)
    assert any(sentence in one for one in told), told
    assert told[0].startswith("recipe.yaml:")


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["task.temperature=0"], "task.temperature must be greater than 0; got 0."),
        (["task.temperature=-1"], "task.temperature must be greater than 0; got -1."),
        (
            ["task.sampling=evn"],
            "task.sampling must be one of proportional, even, temperature; got 'evn'. Did you mean 'even'?",
        ),
        (["data.train=x.csv"], "data has train; each of task.tasks has its own data: give its rows there."),
        (["data.test=10%"], "data has test; each of task.tasks has its own data: give its rows there."),
        (["task.tasks.mood.data.train=10%"], "task.tasks.mood.data.train must name the rows that shares are cut from"),
    ],
)
def test_a_setting_that_cannot_be_is_told(faults, overrides, sentence):
    assert any(sentence in one for one in faults(RECIPE, *overrides))


def test_two_tasks_of_one_name_are_told(faults):
    told = faults(RECIPE.replace("    names:", "    mood:"))
    assert told[0].startswith("recipe.yaml:8: ")
    assert "mood" in told[0]


def test_a_task_without_rows_is_told(faults):
    assert any(
        "task.tasks.mood.data.train is missing" in one for one in faults(RECIPE.replace("train: mood.csv, ", ""))
    )


def test_paths_lead_from_the_recipe_and_a_filled_recipe_loads_again(recipe, monkeypatch):
    monkeypatch.setenv("ROWS", "secret.csv")
    loaded = load(recipe(RECIPE.replace("mood.csv", '"${ROWS}"'), "deep/recipe.yaml"))
    assert str(loaded.located("task", "tasks", "mood", "data", "train")) == "deep/secret.csv"
    told = filled(loaded.recipe)
    assert told["task"]["tasks"]["mood"]["data"]["train"] == "${ROWS}"
    assert told["task"]["tasks"]["mood"]["data"]["split"] == {"name": "stratified"}
    assert "secret" not in filled_yaml(loaded.recipe)
    assert filled(restore(told)) == told


def test_rows_from_python_are_told_by_their_number():
    rows = [{"text": "a", "label": "b"}] * 3
    tasks = {name: {"task": "classification", "data": {"train": rows}} for name in ("mood", "other")}
    told = filled(load({"task": {"name": "multitask", "tasks": tasks}}).recipe)
    assert told["task"]["tasks"]["mood"]["data"]["train"] == {"name": "memory", "n_rows": 3}
