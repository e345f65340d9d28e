"""On every shelf: a part is one new file and no other edit, and listing it imports nothing heavy."""

import importlib
import subprocess
import sys

import pytest

from burnish.core.shelves import SHELVES, Shelf, _part_in
from burnish.flows.parts import list_parts

DUMMY = '''"""A part for a test."""

from burnish.core.parts import Part


class Dummy(Part):
    """Nothing."""

    height: int = 3
    """How high."""
'''


@pytest.mark.parametrize("shelf", sorted(SHELVES))
def test_one_new_file_adds_a_part(shelf, tmp_path, monkeypatch):
    package = importlib.import_module(SHELVES[shelf])
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    monkeypatch.setattr(package.__spec__, "submodule_search_locations", package.__path__)
    (tmp_path / f"dummy_{shelf}.py").write_text(DUMMY, "utf-8")
    try:
        assert f"dummy_{shelf}" in Shelf(shelf).names()
        assert Shelf(shelf).build({"name": f"dummy_{shelf}", "height": 5}).height == 5
        assert any(one.name == f"dummy_{shelf}" and one.summary == "A part for a test." for one in list_parts(shelf))
    finally:
        _part_in.cache_clear()
        sys.modules.pop(f"{SHELVES[shelf]}.dummy_{shelf}", None)


@pytest.mark.parametrize("shelf", sorted(SHELVES))
def test_every_part_has_a_summary_and_is_the_only_part_of_its_file(shelf):
    for name in Shelf(shelf).names():
        assert Shelf(shelf).summary(name)
        assert Shelf(shelf).get(name)


def test_listing_and_naming_every_part_loads_no_torch_and_no_transformers():
    code = (
        "import sys\nfrom burnish.core.shelves import SHELVES, Shelf\n"
        "for shelf in SHELVES:\n    for name in Shelf(shelf).names():\n        Shelf(shelf).get(name)\n"
        "print(sorted({'torch', 'transformers', 'sklearn', 'plotly', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
