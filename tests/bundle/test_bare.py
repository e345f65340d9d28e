"""Without torch, transformers and Arrow a bundle of another runtime answers as with them."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.bundle.bare import CASES, put_on_the_shelf, write_bare_bundle

import burnish
from burnish.bundle import runtimes
from burnish.core.shelves import Shelf, _part_in
from burnish.flows.writing import as_written

ROOT = Path(__file__).resolve().parents[2]
TRAIN = "pip install 'burnish[train]'"


@pytest.fixture(scope="module")
def bare(tiny_base, tmp_path_factory):
    """What `bare.py` said in a process of its own."""
    script = [sys.executable, str(ROOT / "tests/bundle/bare.py"), str(tiny_base), str(tmp_path_factory.mktemp("bare"))]
    paths = os.pathsep.join([str(ROOT), str(Path(burnish.__file__).parents[1])])
    done = subprocess.run(script, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """The numpy runtime on the shelf of this process."""
    monkeypatch.setattr(runtimes, "__path__", [*runtimes.__path__])
    monkeypatch.setattr(runtimes.__spec__, "submodule_search_locations", runtimes.__path__)
    put_on_the_shelf(tmp_path / "shelf")
    yield
    _part_in.cache_clear()
    sys.modules.pop("burnish.bundle.runtimes.bare", None)


@pytest.mark.parametrize("case", CASES)
def test_a_bundle_of_an_encoder_answers_without_torch_as_with_it(case, bare, shelf, tiny_base, tmp_path):
    task, labels, row = CASES[case]
    [here] = burnish.predict(write_bare_bundle(tmp_path / "bundle", tiny_base, task, labels), [row])
    there = bare["answers"][case]
    assert there["python"] == here.model_dump(mode="json")
    assert Shelf("tasks").get(task["name"]).answer.model_validate(there["python"]) == here
    assert here.lines()


@pytest.mark.parametrize("case", CASES)
def test_a_file_is_answered_without_arrow(case, bare):
    _, _, row = CASES[case]
    there = bare["answers"][case]
    assert there["file"] == as_written(there["python"])  # from CSV to JSON lines, on the command line
    header, cells = csv.reader(there["csv"].splitlines())  # from JSON lines to CSV
    assert dict(zip(header, cells, strict=True)).items() >= row.items()
    assert {name for name in header if name not in row} == {f"prediction_{name}" for name in there["python"]}


@pytest.mark.parametrize(
    ("tried", "library"),
    [("parquet in", "pyarrow"), ("parquet out", "pyarrow"), ("judge", "pyarrow"), ("a base as it is", "torch")],
)
def test_what_needs_a_library_says_how_to_get_it(tried, library, bare):
    assert bare["refusals"][tried].startswith(f"this needs the library '{library}': {TRAIN}. (")
