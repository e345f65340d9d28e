from __future__ import annotations

from pathlib import Path

import pytest

from burnish.flows.init import init
from burnish.recipe.load import load

ROWS = "text,label\n" + "".join(f"some words {n},{'ab'[n % 2]}\n" for n in range(40))
TAGGED = "Anna B-PER\nsleeps O\n\nBerlin B-LOC\n\n" * 5


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def sides(data: str, *others: str, text: str = ROWS) -> tuple[object, object]:
    """Dev and test of the recipe that `init` writes for `data` when `others` stand beside it."""
    for name in (data, *others):
        Path(name).write_text(text, "utf-8")
    recipe = load(init(data).path).recipe
    return recipe.data.dev, recipe.data.test


@pytest.mark.parametrize("dev", ["orders_dev.csv", "orders-valid.csv", "orders.validation.csv", "orders_val.csv"])
def test_files_named_after_the_data_are_found(dev):
    assert sides("orders.csv", dev, "orders_test.csv") == (dev, "orders_test.csv")


@pytest.mark.parametrize(
    ("train", "dev", "test"),
    [("train.csv", "dev.csv", "test.csv"), ("my_train_2.csv", "my_val_2.csv", "my_test_2.csv")],
)
def test_files_named_in_place_of_train_are_found(train, dev, test):
    assert sides(train, dev, test) == (dev, test)


def test_the_names_of_conll_2003_are_found():
    assert sides("eng.train", "eng.testa", "eng.testb", text=TAGGED) == ("eng.testa", "eng.testb")


def test_a_suffix_that_does_not_tell_the_format_is_written_out():
    assert sides("eng.train", "eng.dev", text=TAGGED)[0] == {"name": "conll", "path": "eng.dev"}


def test_a_test_file_beside_data_of_another_name_is_not_taken():
    assert sides("orders.csv", "test.csv", "invoices_test.csv") == ("20%", None)


def test_a_test_file_without_answers_is_left_out_and_that_is_said():
    Path("test.csv").write_text("id,text\n1,some words\n")
    assert sides("train.csv") == ("20%", None)
    text = Path("recipe.yaml").read_text()
    assert "  # test.csv, beside it, is left out: no label can be read from it\n" in text


def test_a_file_beside_that_cannot_be_read_is_left_out():
    Path("test.csv").touch()
    assert sides("train.csv") == ("20%", None)
    assert (
        "  # test.csv, beside it, is left out: no text, label can be read from it\n" in Path("recipe.yaml").read_text()
    )


def test_what_is_found_is_said_in_the_recipe_and_in_the_result():
    for name in ("train.csv", "test.csv"):
        Path(name).write_text(ROWS)
    result = init("train.csv")
    assert "  # found beside the training rows\n  test: test.csv\n" in result.text
    assert result.beside == {"test": Path("test.csv")}
