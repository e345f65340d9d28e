from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from burnish.core.errors import UserError
from burnish.core.parts import Part
from burnish.recipe.load import load
from burnish.recipe.migrate import migrated
from burnish.recipe.outline import dotted, field_at, fields_of, model_at, walk
from burnish.recipe.schema import Recipe
from burnish.recipe.show import filled, filled_yaml, recipe_hash

GIVEN = {"task": "classification", "data": {"train": "a.csv", "columns": {"text": "no"}}}


def made(**more: object) -> Recipe:
    return load({**GIVEN, **more}).recipe


def test_every_setting_of_the_schema_is_in_the_filled_recipe():
    told = filled(made())
    for trail, _ in walk(Recipe):
        value = told
        for step in trail:
            assert step in value, dotted(trail)
            value = value[step]


def test_parts_are_written_with_their_names_and_all_their_settings():
    told = filled(made())
    assert told["train"]["schedule"] == made().train.schedule.as_recipe()
    assert told["train"]["schedule"]["name"] == "linear"
    assert told["schema"] == 1


def test_the_order_is_the_schemas_whatever_was_written_first():
    mixed = load(
        {"train": {"seed": 7, "epochs": 5}, "data": {"columns": {"text": "no"}, "train": "a.csv"}}
        | {"task": "classification"}
    )
    assert list(filled(mixed.recipe)) == ["schema", "task", "base", "data", "train", "judge"]
    assert json.dumps(filled(mixed.recipe)) == json.dumps(filled(made()))


def test_the_yaml_loads_again_as_the_same_recipe(tmp_path):
    recipe = made(
        train={"class_weights": {"no": 1.5, "1": 2}, "learning_rate": 1e-5}, judge={"gates": {"ece": "<= 0.05"}}
    )
    for comments in (True, False):
        (tmp_path / "filled.yaml").write_text(filled_yaml(recipe, comments=comments), "utf-8")
        assert filled(load(tmp_path / "filled.yaml").recipe) == filled(recipe)


def test_comments_are_the_docstrings_and_can_be_left_out():
    text = filled_yaml(made())
    assert "  # Passes over the training rows; 0 trains nothing and judges the base as it is.\n  epochs: 5\n" in text
    assert "#" not in filled_yaml(made(), comments=False)
    assert max(map(len, text.splitlines())) < 140


def test_the_hash_is_that_of_the_canonical_json():
    told = json.dumps(filled(made()), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert recipe_hash(made()) == hashlib.sha256(told.encode()).hexdigest()
    assert recipe_hash(made(train={"epochs": 6})) != recipe_hash(made())
    assert recipe_hash(made(train={"epochs": 5})) == recipe_hash(made())


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"text": "a", "label": "b"}] * 4, {"name": "memory", "n_rows": 4}),
        ({"text": ["a", "b"], "label": ["x", "y"]}, {"name": "memory", "n_rows": 2}),
        (Path("a.csv"), "a.csv"),
        ([Path("a.csv"), "b.csv"], ["a.csv", "b.csv"]),
        ({"name": "csv", "path": Path("a.csv")}, {"name": "csv", "path": "a.csv"}),
        ({"name": "memory", "data": [1, 2, 3]}, {"name": "memory", "n_rows": 3}),
        (iter([]), {"name": "memory", "n_rows": None}),
    ],
)
def test_rows_are_told_as_a_file_or_by_their_number(rows, told):
    assert filled(load(task="classification", train=rows).recipe)["data"]["train"] == told


def test_a_source_that_is_a_part_is_told_with_its_settings():
    class Csv(Part):
        path: str = "x"

    told = filled(load(task="classification", train=Csv()).recipe)["data"]["train"]
    assert told == {"name": "test_show", "path": "x"}


def test_a_frame_is_told_by_its_number_of_rows():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": ["a", "b"], "label": ["x", "y"]})
    assert filled(load(task="classification", train=frame).recipe)["data"]["train"] == {"name": "memory", "n_rows": 2}


def test_a_newer_schema_is_refused(faults):
    assert faults("schema: 3\ntask: classification\ndata: {train: a.csv}\n") == [
        (
            "recipe.yaml:1: schema 3 is newer than this Burnish reads (up to 1); "
            "upgrade it with pip install --upgrade burnish."
        )
    ]


@pytest.mark.parametrize("number", [0, "one", True, None, 1.5])
def test_a_schema_that_is_no_number_is_refused(number):
    with pytest.raises(UserError, match=r"^schema must be a whole number from 1 to 1; got "):
        load({"schema": number, **GIVEN})


def test_an_older_recipe_goes_through_the_table_step_by_step(monkeypatch):
    monkeypatch.setattr("burnish.recipe.migrate.SCHEMA", 3)
    table = {
        1: lambda values: {"b": values["a"]},
        2: lambda values: {"c": values["b"]},
    }
    assert migrated({"schema": 1, "a": 5}, table=table) == {"schema": 3, "c": 5}
    assert migrated({"schema": 2, "b": 5}, table=table) == {"schema": 3, "c": 5}
    assert migrated({"a": 5}, table=table) == {"a": 5}


def test_the_outline_finds_sections_parts_and_fields():
    values = {"train": {"schedule": {"name": "cosine"}, "observers": ["jsonl"]}}
    assert model_at((), values) is Recipe
    assert "warmup" in fields_of(model_at(("train", "schedule"), values))
    assert model_at(("train", "observers", 0), values).__module__.endswith("observers.jsonl")
    assert model_at(("train", "observers", 9), values) is None
    assert model_at(("train", "epochs"), values) is None
    assert model_at(("nothing", "here"), values) is None
    assert field_at(("train", "schedule", "warmup"), values).annotation is float
    assert field_at(("train", "schedule", "x"), values) is None
    assert field_at((), values) is None


def test_paths_are_written_as_messages_show_them():
    assert dotted(("train", "observers", 0, "name")) == "train.observers[0].name"
