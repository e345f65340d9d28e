from __future__ import annotations

from pathlib import Path

import pytest

from burnish.flows import sampling
from burnish.flows.init import init
from burnish.flows.sampling import sample
from burnish.recipe.load import load

TAGGED = "EU B-ORG\nrejects O\nGerman B-MISC\n\nPeter B-PER\nBlackburn I-PER\n\n" * 10
TITLES = "".join(f"第{n}条新闻的标题\t{n % 10}\n" for n in range(100))


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_rows_are_kept_for_guessing_and_counted_beyond_that(monkeypatch):
    monkeypatch.setattr(sampling, "SAMPLE_ROWS", 20)
    monkeypatch.setattr(sampling, "ROWS_COUNTED", 50)
    for n_rows, counted in ((30, 30), (90, 50)):
        Path("data.csv").write_text("text,label\n" + "".join(f"words {n},{'ab'[n % 2]}\n" for n in range(n_rows)))
        found = sample("data.csv")
        assert (len(found.rows), found.n_rows) == (20, counted)


def test_the_recipe_says_how_many_rows_were_looked_at(monkeypatch):
    monkeypatch.setattr(sampling, "SAMPLE_ROWS", 20)
    Path("data.csv").write_text("text,label\n" + "".join(f"words {n},{'ab'[n % 2]}\n" for n in range(30)))
    assert init("data.csv", out="my recipe.yaml").text.startswith(
        "# Written by `burnish init` from the first 20 rows of data.csv.\n"
        "# Guesses are marked; correct what is wrong, then:\n"
        "#   burnish check 'my recipe.yaml'   finds what is wrong with the data, without training\n"
        "#   burnish fit 'my recipe.yaml'     trains, judges, saves\n"
    )


@pytest.mark.parametrize(("name", "mark"), [("train.txt", " "), ("train.txt", "\t"), ("train.tsv", "\t")])
def test_words_with_tags_are_recognised_under_any_suffix(name, mark):
    Path(name).write_text(TAGGED.replace(" ", mark))
    recipe = load(init(name).path).recipe
    assert recipe.task.part_name == "tokens"
    assert recipe.data.train == {"name": "conll", "path": name}


@pytest.mark.parametrize("text", [TITLES, TITLES.replace("\n", "\n\n")])
def test_a_table_in_a_txt_file_stays_a_table(text):
    Path("titles.txt").write_text(text, "utf-8")
    assert sample("titles.txt").source.part_name == "tsv"
