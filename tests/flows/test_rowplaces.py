"""Where the training rows of a version are: noted as seen from where it was released."""

from pathlib import Path

import pytest
from tests.flows.conftest import sentiment_rows, write_csv

from burnish.core.errors import UserError
from burnish.flows.rowplaces import hand_places_on, keep_places, known_places
from burnish.recipe.load import load
from burnish.store.records import Release

FIRST, SECOND = (Release("intent", version, "ab" * 32, "classification", 1000.0, "user ann") for version in (1, 2))


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """A folder that one stands in, with rows in it."""
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "train.csv", sentiment_rows(8))
    write_csv(tmp_path / "more.csv", sentiment_rows(8, seed=3))
    return tmp_path


def kept(home, release=FIRST, **data):
    recipe = {"task": "classification", "base": "minilm", "data": {"train": "train.csv", **data}}
    return keep_places(home, release, load(recipe))


def test_paths_mean_the_same_from_wherever_one_retrains(new_home, rows, monkeypatch):
    assert kept(new_home, dev="10%")
    monkeypatch.chdir("/")
    assert known_places(new_home, FIRST) == {"train": str(rows / "train.csv"), "dev": "10%"}


def test_lists_and_sources_with_settings_are_kept_as_they_are_given(new_home, rows):
    source = {"name": "csv", "path": "more.csv", "delimiter": ","}
    assert kept(new_home, train=["train.csv", "more.csv"], dev=source)
    assert known_places(new_home, FIRST) == {
        "train": [str(rows / "train.csv"), str(rows / "more.csv")],
        "dev": {**source, "path": str(rows / "more.csv")},
    }


def test_each_version_has_places_of_its_own_and_hands_them_on(new_home, rows):
    kept(new_home)
    kept(new_home, SECOND, train="more.csv")
    assert known_places(new_home, FIRST)["train"] == str(rows / "train.csv")
    hand_places_on(new_home, FIRST, SECOND)
    assert known_places(new_home, SECOND)["train"] == str(rows / "train.csv")


def test_what_was_not_known_cannot_be_handed_on(new_home, rows):
    kept(new_home, SECOND)
    hand_places_on(new_home, FIRST, SECOND)
    assert known_places(new_home, SECOND)["train"] == str(rows / "train.csv")


@pytest.mark.parametrize(
    "data", [{"train": "gone.csv"}, {"train": ["train.csv", "gone.csv"]}, {"train": {"name": "memory", "n_rows": 4}}]
)
def test_rows_that_are_not_there_or_came_from_python_are_not_noted(new_home, rows, data):
    assert not kept(new_home, **data)
    with pytest.raises(UserError) as caught:
        known_places(new_home, FIRST)
    assert str(caught.value) == (
        "where the training rows of 'intent' are was not known when it was released; say it: data.train=FILE."
    )


def test_a_source_with_a_secret_from_the_environment_is_not_noted(new_home, rows, monkeypatch):
    monkeypatch.setenv("ROWS_PASSWORD", "hunter2hunter2")
    sql = {"name": "sql", "url": "postgresql://ann:${ROWS_PASSWORD}@db/rows", "query": "select text, label from rows"}
    assert not kept(new_home, train=sql)
    database = Path(str(new_home.store.engine.url.database))
    files = [*database.parent.glob("burnish.db*")]
    assert not any(b"hunter2hunter2" in file.read_bytes() for file in files)


def test_a_path_from_the_environment_is_noted(new_home, rows, monkeypatch):
    monkeypatch.setenv("ROWS", "train.csv")
    assert kept(new_home, train="${ROWS}")
    assert known_places(new_home, FIRST)["train"] == str(rows / "train.csv")


@pytest.mark.parametrize("side", ["train", "dev"])
def test_rows_that_have_gone_are_asked_for_by_their_side(new_home, rows, side):
    kept(new_home, dev="more.csv")
    gone = rows / {"train": "train.csv", "dev": "more.csv"}[side]
    gone.unlink()
    with pytest.raises(UserError) as caught:
        known_places(new_home, FIRST)
    assert str(caught.value) == (
        f"{gone}: the {side} rows of 'intent' are not there any more; say where: data.{side}=FILE."
    )
    assert side not in known_places(new_home, FIRST, without={side})


def test_where_rows_are_said_nothing_needs_to_be_known(new_home):
    assert known_places(new_home, FIRST, without={"train"}) == {}
