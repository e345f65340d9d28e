from __future__ import annotations

import json
import logging

import pytest

from burnish.core.errors import UserError
from burnish.recipe.environment import Expansion
from burnish.recipe.load import load, restore
from burnish.recipe.show import filled, filled_yaml, recipe_hash

SECRET = "p4ssw0rd"


@pytest.fixture(autouse=True)
def _variables(monkeypatch):
    monkeypatch.setenv("DB_URL", SECRET)
    monkeypatch.setenv("N", "3")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("UNSET", raising=False)


def made(rows: object = "a.csv", **more: object):
    return load({"task": "classification", "data": {"train": rows}, **more}).recipe


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${DB_URL}", SECRET),
        ("x/${DB_URL}/${N}.csv", f"x/{SECRET}/3.csv"),
        ("a${EMPTY}b", "ab"),
        ("${UNSET:-other}", "other"),
        ("${EMPTY:-other}", "other"),
        ("${UNSET:-}x", "x"),
        ("${N:-other}", "3"),
        ("$${N} $N", "${N} $N"),
    ],
)
def test_a_variable_is_put_in_and_the_filled_recipe_keeps_what_was_written(written, value):
    recipe = made(written)
    assert recipe.data.train == value
    assert filled(recipe)["data"]["train"] == written


def test_no_form_of_the_recipe_tells_the_secret(caplog):
    recipe = made({"name": "sql", "url": "${DB_URL}", "n": "${N}"}, base="${DB_URL}", judge={"slices": ["${DB_URL}"]})
    logging.getLogger().warning("%s %r", recipe, recipe)
    told = f"{filled(recipe)} {filled_yaml(recipe)} {recipe} {recipe!r} {caplog.text}"
    assert SECRET not in told
    assert "${DB_URL}" in told
    assert recipe.data.train["url"] == SECRET


def test_the_hash_does_not_depend_on_what_a_variable_holds(monkeypatch):
    before = recipe_hash(made("${DB_URL}"))
    monkeypatch.setenv("DB_URL", "another")
    assert recipe_hash(made("${DB_URL}")) == before
    assert recipe_hash(made("b.csv")) != before


def test_numbers_and_choices_from_the_environment_are_written_out(monkeypatch):
    monkeypatch.setenv("P", "fp32")
    monkeypatch.setenv("OPT", "sgd")
    recipe = made(base="${DB_URL}", train={"epochs": "${N}", "precision": "${P}", "optimizer": {"name": "${OPT}"}})
    told = filled(recipe)
    assert (told["train"]["epochs"], told["train"]["precision"], told["train"]["optimizer"]["name"]) == (
        3,
        "fp32",
        "sgd",
    )
    assert told["base"] == "${DB_URL}"


def test_a_secret_beside_a_number_in_one_part_stays_hidden(monkeypatch):
    monkeypatch.setenv("OPT", "wandb")
    recipe = made(train={"observers": [{"name": "${OPT}", "project": "${DB_URL}"}]})
    assert recipe.train.observers[0].project == SECRET
    assert SECRET not in json.dumps(filled(recipe))


def test_a_stored_recipe_needs_no_variables(monkeypatch):
    told = filled(made("${DB_URL}", train={"epochs": "${N}"}))
    monkeypatch.delenv("DB_URL")
    assert filled(restore(told)) == told


def test_an_unset_variable_is_named_with_its_line(faults):
    assert faults("task: classification\ndata:\n  train: ${UNSET}/a.csv\n") == [
        "recipe.yaml:3: data.train needs the environment variable UNSET; set it, or write ${UNSET:-default}."
    ]


@pytest.mark.parametrize("written", ["${a b}", "${}", "${1X}"])
def test_what_is_no_variable_is_explained(written):
    with pytest.raises(UserError) as caught:
        made(written)
    assert str(caught.value) == (
        f"data.train has '{written}'; write ${{NAME}} or ${{NAME:-default}}, and $${{ for a literal ${{."
    )


def test_a_bracket_that_is_not_closed_is_explained():
    with pytest.raises(UserError, match=r"^data.train has '\${'; write \${NAME}"):
        made("${DB_URL")


@pytest.mark.parametrize(
    "section",
    [
        {"train": {"epochs": "${DB_URL}"}},
        {"train": {"precision": "${DB_URL}"}},
        {"train": {"optimizer": "${DB_URL}"}},
        {"train": {"optimizer": {"name": "${DB_URL}"}}},
        {"train": {"optimizer": {"name": "adamw", "betas": "${DB_URL}"}}},
        {"train": {"optimizer": {"nam": "${DB_URL}", "x": "${DB_URL}"}}},
        {"train": {"class_weights": {"a": "${DB_URL}"}}},
        {"judge": {"gates": {"accuracy": "x${DB_URL}"}}},
        {"data": {"train": "a", "dev": "${SHARE}"}},
        {"data": {"train": ["${DB_URL}"], "similarity": "${DB_URL}"}},
        {"task": {"head": "${DB_URL}"}},
        {"wrong": "${DB_URL}"},
    ],
)
def test_no_message_tells_the_secret(section, monkeypatch):
    monkeypatch.setenv("SHARE", "95.125%")
    with pytest.raises(UserError) as caught:
        load({"task": "classification", "data": {"train": "a.csv"}, **section})
    assert SECRET not in str(caught.value)
    assert "95.125%" not in str(caught.value)


def test_rows_given_from_python_are_data_and_never_expanded():
    rows = [{"text": "costs ${UNSET} and ${a b}", "label": "x"}] * 3
    assert made(rows).data.train == rows
    assert made({"text": ["${UNSET}"], "label": ["x"]}).data.train["text"] == ["${UNSET}"]
    assert made({"name": "memory", "data": rows}).data.train["data"] == rows


def test_an_expansion_shows_only_what_was_written():
    assert repr(Expansion("${A}", SECRET)) == "Expansion('${A}')"
