"""What a recipe or a program gives becomes the right sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.data.opening import known_suffixes, open_sources
from burnish.data.sources._contract import Row, Source


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in (
        "train.csv",
        "more.csv",
        "train.tsv",
        "TRAIN.JSONL",
        "data.json",
        "eng.testa",
        "a.txt",
        "a.doc",
        "train.parquet",
    ):
        (tmp_path / name).write_text("text,label\nhello,a\n")
    return tmp_path


def message_of(value: Any, **options: Any) -> str:
    with pytest.raises(UserError) as caught:
        open_sources(value, **options)
    return str(caught.value)


def names_of(value: Any) -> list[str]:
    return [source.part_name for source in open_sources(value)]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("train.csv", ["csv"]),
        (Path("train.tsv"), ["tsv"]),
        ("TRAIN.JSONL", ["jsonl"]),
        ("data.json", ["jsonl"]),
        ("eng.testa", ["conll"]),
        ("train.parquet", ["parquet"]),
        (["train.csv", Path("more.csv"), "train.tsv"], ["csv", "csv", "tsv"]),
        ({"name": "tsv", "path": "a.txt"}, ["tsv"]),
        ({"path": "data.json", "key": "train"}, ["jsonl"]),
        (["train.csv", {"name": "tsv", "path": "a.txt"}], ["csv", "tsv"]),
        ([{"name": "csv", "path": "a.txt"}, {"name": "tsv", "path": "a.txt"}], ["csv", "tsv"]),
        ("hub:clinc/clinc_oos", ["hub"]),
        ({"name": "hub", "id": "imdb", "split": "test"}, ["hub"]),
        ([{"text": "a", "label": "b"}], ["memory"]),
        ([{"name": "csv", "text": "a row about csv"}], ["memory"]),
        ({"text": ["a"], "name": ["b"]}, ["memory"]),
        (pd.DataFrame({"text": ["a"]}), ["memory"]),
    ],
)
def test_each_kind_of_value_finds_its_source(value: Any, names: list[str]) -> None:
    assert names_of(value) == names


def test_a_source_is_taken_as_it_is(folder: Path) -> None:
    source = open_sources("train.csv")[0]
    assert open_sources(source) == [source]
    assert open_sources([source, "more.csv"])[0] is source


def test_rows_come_out(folder: Path) -> None:
    assert list(open_sources(str(folder / "train.csv"))[0].rows()) == [Row(2, {"text": "hello", "label": "a"})]


def test_a_hub_name_may_hold_a_split() -> None:
    assert open_sources("hub:a/b:test")[0].place() == "hub:a/b:test"
    assert open_sources("hub:a/b")[0].place() == "hub:a/b:train"


@pytest.mark.usefixtures("folder")
def test_the_encoding_reaches_sources_that_were_not_given_their_own() -> None:
    given = ["train.csv", {"name": "tsv", "path": "a.txt", "encoding": "gbk"}, "train.parquet"]
    found = [getattr(source, "encoding", None) for source in open_sources(given, "latin-1")]
    assert found == ["latin-1", "gbk", None]


def test_a_home_folder_is_expanded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert open_sources("~/train.csv")[0].place() == str(folder / "train.csv")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("trian.csv", "trian.csv: there is no such file in "),
        (
            "a.doc",
            (
                "a.doc: the suffix '.doc' does not tell the format. Known are .bio, .bioes, .bmes, .conll, .conll2003, "
                ".csv, .iob, .iob2, .json, .jsonl, .ndjson, .parquet, .pq, .tab, .testa, .testb, .train, .tsv, .txt; "
                "or say it: {name: tsv, path: a.doc}, and has_header: false with names: [text, label] if no line names "
                "the columns."
            ),
        ),
        (
            {"name": "tvs", "path": "a.txt"},
            "there is no part 'tvs' on the shelf 'sources'. Did you mean 'tsv'? It has: ",
        ),
        (
            {"name": "csv", "path": "a.txt", "delimeter": ";"},
            (
                "data.train.delimeter: the source 'csv' has no such setting. "
                "Did you mean 'delimiter'? It has: path, encoding, "
            ),
        ),
        ({"name": "csv"}, "data.train.path: the source 'csv' needs it."),
        (
            {"name": "csv", "path": "a.txt", "has_header": "perhaps"},
            "data.train.has_header must be true or false; got 'perhaps'.",
        ),
        (
            {"name": "conll", "path": "a.txt", "scheme": "iob", "token_column": "first"},
            (
                "data.train.token_column must be a whole number; got 'first'.\n"
                "data.train.scheme must be one of auto, iob1, iob2, bioes, bmes, plain; got 'iob'. Did you mean 'iob2'?"
            ),
        ),
        (
            {"name": "jsonl", "path": "a.txt", "names": "text"},
            "data.train.names must be a list, such as [a, b]; got 'text'.",
        ),
        (
            {"name": "tsv", "path": "a.txt", "has_header": False},
            ("data.train: without a header, `names` must name the columns, e.g. names: [text, label]."),
        ),
        (
            {"name": "memory", "n_rows": 5},
            ("data.train: these rows were given from Python, so the recipe alone cannot repeat them; name a file."),
        ),
        (
            "hub:a b",
            (
                "data.train.id: a data set's name on the hub reads like 'owner/name', e.g. hub:clinc/clinc_oos:train; "
                "got 'a b'."
            ),
        ),
        ([], "data.train: the list is empty; name a file, or give rows."),
        (7, "rows given from Python: a int cannot be read; give a list of dicts"),
        (".", ".: is a folder; name a file in it."),
    ],
)
def test_what_cannot_be_opened_is_a_sentence(value: Any, message: str) -> None:
    assert message_of(value).startswith(message)


@pytest.mark.usefixtures("folder")
def test_the_place_in_the_recipe_is_named() -> None:
    assert message_of([], where="data.dev").startswith("data.dev: the list is empty")


def test_a_foreign_part_that_is_no_source_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from burnish.core.parts import Part

    class Odd(Part):
        path: Path

    monkeypatch.setattr(Shelf, "get", lambda _, name: Odd)
    assert message_of({"name": "odd", "path": "a.txt"}) == (
        "data.train: the part 'odd' on the shelf 'sources' is not a source."
    )


def test_every_suffix_belongs_to_one_source() -> None:
    shelf = Shelf("sources")
    claimed = [suffix for name in shelf.names() for suffix in shelf.get(name).suffixes]  # type: ignore[attr-defined]
    assert len(claimed) == len(set(claimed)) == len(known_suffixes())


def test_every_source_says_what_it_is() -> None:
    shelf = Shelf("sources")
    assert {"conll", "csv", "hub", "jsonl", "memory", "parquet", "tsv"} <= set(shelf.names())
    for name in shelf.names():
        assert issubclass(shelf.get(name), Source)
        assert len(shelf.summary(name)) > 20


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["rows.xlsx", "ROWS.XLS", "rows.ods"])
def test_a_spreadsheet_is_to_be_saved_as_csv(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"PK")
    assert message_of(name) == f"{name}: is a spreadsheet; save it as CSV (UTF-8) and give that."
