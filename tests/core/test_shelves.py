from __future__ import annotations

import importlib
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, ValidationError

from burnish.core.errors import UserError
from burnish.core.parts import Part
from burnish.core.shelves import SHELVES, Shelf, _part_in, need

PART = '''"""A part for a test."""

from burnish.core.parts import Part


class Step(Part):
    """Nothing."""

    height: int = 3
    """How high."""
'''


@pytest.fixture
def dummy(tmp_path, monkeypatch):
    """Put one file into a folder of the shelf `schedules`; nothing else changes."""
    package = importlib.import_module(SHELVES["schedules"])
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    monkeypatch.setattr(package.__spec__, "submodule_search_locations", package.__path__)

    def write(text: str, name: str = "step") -> None:
        (tmp_path / f"{name}.py").write_text(text, "utf-8")

    _part_in.cache_clear()
    yield write
    _part_in.cache_clear()
    for name in [module for module in sys.modules if getattr(sys.modules[module], "__file__", None)]:
        if str(sys.modules[name].__file__).startswith(str(tmp_path)):
            del sys.modules[name]


class Holder(BaseModel):
    part: Annotated[Part, Shelf("schedules")]


def test_a_part_is_one_new_file_and_no_other_edit(dummy):
    dummy(PART)
    shelf = Shelf("schedules")
    assert "step" in shelf.names()
    assert shelf.summary("step") == "A part for a test."
    assert shelf.get("step")().part_name == "step"
    assert Holder(part="step").part.as_recipe() == {"name": "step", "height": 3}
    assert Holder(part={"name": "step", "height": 5}).model_dump() == {"part": {"name": "step", "height": 5}}


def test_listing_imports_nothing(dummy):
    dummy('"""Breaks."""\nraise RuntimeError("imported")\n', "breaks")
    assert Shelf("schedules").summary("breaks") == "Breaks."


def test_files_with_an_underscore_are_no_parts():
    assert not [name for shelf in SHELVES for name in Shelf(shelf).names() if name.startswith("_")]


def test_a_part_that_is_not_there_gets_a_hint():
    with pytest.raises(
        UserError, match=r"^there is no part 'cosin' on the shelf 'schedules'. Did you mean 'cosine'\? It has: "
    ):
        Shelf("schedules").get("cosin")


@pytest.mark.parametrize("body", ['"""Empty."""\n', PART + "\n\nclass Other(Part):\n    pass\n"])
def test_a_file_with_no_part_or_two_is_our_own_fault(dummy, body):
    dummy(body)
    with pytest.raises(
        TypeError, match=r"burnish.training.schedules.step must define exactly one part; it defines [02]"
    ):
        Shelf("schedules").get("step")


def test_a_value_that_names_no_part_is_explained():
    with pytest.raises(ValueError, match=r"^expected the name of a part, or a mapping with 'name'; got 3$"):
        Shelf("schedules").build(3)


def test_a_part_that_is_already_built_stays():
    built = Shelf("schedules").build("linear")
    assert Shelf("schedules").build(built) is built
    assert Holder(part=built).part is built


def test_faults_inside_a_part_have_their_path():
    with pytest.raises(ValidationError) as caught:
        Holder(part={"name": "linear", "warmup": "x", "other": 1})
    assert {fault["loc"] for fault in caught.value.errors()} == {("part", "warmup"), ("part", "other")}


def test_third_parties_add_parts_by_entry_points(monkeypatch):
    point = EntryPoint("foreign", "test_foreign_part:Foreign", "burnish.schedules")
    wrong = EntryPoint("wrong", "pathlib:Path", "burnish.schedules")
    monkeypatch.setattr(
        "burnish.core.shelves.entry_points", lambda group: [point, wrong] if group.endswith("schedules") else []
    )

    class Foreign(Part):
        pass

    module = type(sys)("test_foreign_part")
    module.Foreign = Foreign
    monkeypatch.setitem(sys.modules, "test_foreign_part", module)
    shelf = Shelf("schedules")
    assert {"foreign", "wrong", "linear"} <= set(shelf.names())
    assert shelf.summary("foreign") == "from test_foreign_part:Foreign"
    assert shelf.get("foreign") is Foreign
    with pytest.raises(
        UserError, match=r"^'wrong' of the entry-point group burnish.schedules is not a Burnish part\.$"
    ):
        shelf.get("wrong")


def test_a_library_that_is_missing_is_named_with_its_pip_line():
    with pytest.raises(
        UserError, match=r"^this needs the library 'no_such_library': pip install 'burnish\[hub\]'\. \("
    ):
        need("no_such_library", "hub")
    assert need("pathlib", "hub").Path is Path
