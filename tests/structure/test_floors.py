"""A room imports only rooms on lower floors; rooms of one floor do not import each other."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import burnish

ROOT = Path(burnish.__file__).parent
FLOORS = {
    "core": 0, "recipe": 1, "metrics": 2, "store": 2, "data": 3, "models": 4, "tasks": 5, "bundle": 6,
    "training": 7, "evaluation": 7, "compression": 7, "monitoring": 7, "feedback": 7,
    "flows": 8, "serving": 9, "apps": 10, "console": 10, "cli": 11,
}  # fmt: skip
FILES = sorted(ROOT.rglob("*.py"))
HEAVY = ("torch", "transformers", "pyarrow", "pydantic_settings", "sklearn", "scipy", "plotly", "numpy", "pydantic")


def room_of(file: Path) -> str | None:
    """The room of a file; None for those at the door: `__init__` and `__main__`."""
    parts = file.relative_to(ROOT).parts
    return parts[0] if len(parts) > 1 else None


def imports_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of everything imported anywhere in a file, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            yield node.lineno, f"{node.module}"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def rooms_reached(file: Path) -> Iterator[tuple[int, str]]:
    for line, name in imports_of(ast.parse(file.read_text("utf-8"))):
        words = name.split(".")
        if words[0] == "burnish" and len(words) > 1 and words[1] in FLOORS:
            yield line, words[1]


def test_every_folder_is_a_room_with_a_floor():
    rooms = {room for room in map(room_of, FILES) if room}
    assert rooms <= FLOORS.keys(), rooms - FLOORS.keys()


@pytest.mark.parametrize(
    "file", [file for file in FILES if room_of(file)], ids=lambda file: str(file.relative_to(ROOT))
)
def test_a_file_imports_only_lower_floors(file):
    own = room_of(file)
    wrong = [
        f"line {line}: {own} (floor {FLOORS[own]}) imports {room} (floor {FLOORS[room]})"
        for line, room in rooms_reached(file)
        if room != own and FLOORS[room] >= FLOORS[own]
    ]
    assert not wrong, "\n".join(wrong)


def loaded_by(code: str) -> set[str]:
    """The top-level modules that some code loads in a fresh process."""
    tell = "import sys; print(' '.join({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{tell}"], capture_output=True, text=True, check=True)
    return set(done.stdout.split("\n")[-2].split())


def test_importing_burnish_loads_nothing_heavy():
    assert not loaded_by("import burnish") & {*HEAVY, "yaml", "typer", "rich"}


def test_help_loads_nothing_heavy():
    code = "from burnish.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    assert not loaded_by(code) & {"torch", "transformers", "pyarrow", "sklearn", "scipy", "plotly", "numpy"}


def test_help_of_no_command_loads_anything_heavy():
    code = """
from burnish.cli.main import COMMANDS, main
for command in COMMANDS:
    try: main([command.__name__, "--help"])
    except SystemExit as ended: assert ended.code == 0
"""
    servers = {"sqlalchemy", "alembic", "fastapi", "uvicorn", "openvino", "prometheus_client", "yaml"}
    assert not loaded_by(code) & {*servers, "torch", "transformers", "pyarrow", "sklearn", "scipy", "plotly", "numpy"}


def test_a_job_is_checked_before_it_is_queued_without_what_does_it():
    job = "'retrain', {'name': 'intent', 'anchor': 'ewc'}"
    code = f"from burnish.flows.work import refuse_unknown_job; refuse_unknown_job({job})"
    assert not loaded_by(code) & {"torch", "transformers", "pyarrow", "sklearn", "scipy", "plotly"}


def test_predicting_loads_nothing_that_trains():
    code = "import burnish.flows.predict, burnish.cli.predict\nfrom burnish.bundle.predictor import load_predictor"
    assert not loaded_by(code) & {"torch", "transformers", "pyarrow", "sklearn", "scipy", "plotly"}


def test_listing_every_part_loads_no_library_of_theirs():
    assert not loaded_by("from burnish.flows.parts import list_parts; list_parts()") & {"torch", "sklearn", "plotly"}


def test_validating_a_recipe_needs_no_torch():
    code = (
        "from burnish.recipe.load import load; load(task='tokens', train='a.csv', split='random', observers=['jsonl'])"
    )
    assert not loaded_by(code) & {"torch", "transformers", "sklearn", "scipy", "plotly", "tensorboard"}
