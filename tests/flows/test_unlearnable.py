"""Texts that no retraining learns from: test and dev rows, also as they are kept of a request."""

import pytest
import yaml
from tests.flows.conftest import write_csv

from burnish.core.errors import UserError
from burnish.core.events import ignore
from burnish.flows.release import release
from burnish.flows.unlearnable import text_of, unlearnable
from burnish.recipe.load import load

ASKED = "Please write to Jane.Doe@example.com"


@pytest.fixture
def recipe(moods):
    """Of the bundle of `moods`, whose dev rows are a share of its training rows."""
    return yaml.safe_load((moods / "bundle" / "recipe.yaml").read_text("utf-8"))


def found(home, recipe, work, **data):
    return unlearnable(home, "intent", load({**recipe, "data": {**recipe["data"], **data}}), work, ignore)


def test_what_tells_copies_has_no_capitals_and_single_spaces():
    assert text_of({"text": "  Guten\n Tag "}) == "guten tag"
    assert text_of({"text": "A", "text_pair": "B"}) == "a b"


def test_the_frozen_test_rows_are_among_them(home, moods, recipe, tmp_path):
    texts = {line.rpartition(",")[0] for line in (moods / "test.csv").read_text("utf-8").splitlines()[1:]}
    assert found(home, recipe, tmp_path) == {" ".join(text.split()) for text in texts}


def test_without_any_that_judge_there_are_none(new_home, recipe, tmp_path):
    assert found(new_home, recipe, tmp_path) == frozenset()


def test_test_rows_are_known_with_their_personal_data_masked_too(new_home, moods, recipe, tmp_path):
    """A request is kept so, and compared with them."""
    file = write_csv(tmp_path / "test.csv", [(ASKED, "good"), ("so bad", "bad")])
    release(moods / "bundle", "intent", [f"data.test={file}"])
    own = {"please write to jane.doe@example.com", "please write to [email]", "so bad"}
    assert found(new_home, recipe, tmp_path) == own


def test_dev_rows_that_are_a_file_are_among_them(new_home, recipe, tmp_path):
    """Labels that only corrections bring are no fault of theirs."""
    file = write_csv(tmp_path / "dev.csv", [(ASKED, "good"), ("so new", "new")])
    own = {"please write to jane.doe@example.com", "please write to [email]", "so new"}
    assert found(new_home, recipe, tmp_path, dev=str(file)) == own


def test_dev_rows_that_are_not_there_are_told(new_home, recipe, tmp_path):
    with pytest.raises(UserError, match=r"gone\.csv: there is no such file"):
        found(new_home, recipe, tmp_path, dev=str(tmp_path / "gone.csv"))
