"""The house habits that a machine can check: sizes, names, no print, docstrings under settings."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest
from pydantic import BaseModel

import burnish
from burnish.core.settings import Settings
from burnish.core.shelves import SHELVES, Shelf
from burnish.recipe import schema
from burnish.recipe.outline import walk

ROOT = Path(burnish.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
TESTS = sorted(Path(__file__).parents[1].rglob("*.py"))
MAX_LINES, MAX_BODY, MAX_PARAMETERS, MAX_NESTING = 400, 40, 6, 3
BANNED = {"utils", "util", "common", "helpers", "helper", "misc", "manager", "base2"}

EXCEPTIONS: dict[str, str] = {}
"""`file:function` → the reason why its parameters may be more than six. May only shrink."""

every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))


def functions(file: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(file.read_text("utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def nesting(node: ast.AST, depth: int = 0) -> int:
    """How deep branches and loops stand in each other inside a function.

    `elif` counts as its `if`; `with` and `try` hold a resource or name a fault, they decide nothing.
    """
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        is_block = isinstance(child, ast.If | ast.For | ast.While | ast.ExceptHandler | ast.Match)
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse
        deepest = max(deepest, nesting(child, depth + (is_block and not is_elif)))
    return deepest


@every_file
def test_a_file_is_at_most_400_lines(file):
    assert len(file.read_text("utf-8").splitlines()) <= MAX_LINES


@every_file
def test_a_function_is_short_takes_few_parameters_and_nests_little(file):
    wrong = []
    for function in functions(file):
        own = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
        n_parameters = len([one for one in own if one.arg not in ("self", "cls")])
        is_excused = f"{file.relative_to(ROOT)}:{function.name}" in EXCEPTIONS
        if body_lines(function) > MAX_BODY:
            wrong.append(f"line {function.lineno}: {function.name} has {body_lines(function)} lines")
        if n_parameters > MAX_PARAMETERS and not is_excused:
            wrong.append(f"line {function.lineno}: {function.name} takes {n_parameters} parameters")
        if nesting(function) > MAX_NESTING:
            wrong.append(f"line {function.lineno}: {function.name} nests {nesting(function)} deep")
    assert not wrong, "\n".join(wrong)


@every_file
def test_nothing_prints_outside_the_command_line(file):
    if file.relative_to(ROOT).parts[0] == "cli":
        return
    tree = ast.parse(file.read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    assert not [call.lineno for call in calls if call.func.id == "print"]


@every_file
def test_a_file_says_first_what_it_is(file):
    said = ast.get_docstring(ast.parse(file.read_text("utf-8")))
    assert said, "the module has no docstring"
    assert said.split("\n")[0].endswith((".", "?", ":")), "the first line is not a sentence"


def test_no_file_or_room_has_a_name_that_says_nothing():
    names = {
        part for file in [*FILES, *TESTS] for part in Path(file.relative_to(ROOT.parents[1])).with_suffix("").parts
    }
    assert not names & BANNED


def test_every_exception_is_still_needed():
    excess = {
        f"{file.relative_to(ROOT)}:{function.name}"
        for file in FILES
        for function in functions(file)
        if len(function.args.args) + len(function.args.kwonlyargs) > MAX_PARAMETERS
    }
    assert EXCEPTIONS.keys() <= excess, EXCEPTIONS.keys() - excess


def test_every_setting_of_a_recipe_has_its_sentence():
    silent = [trail for trail, field in walk(schema.Recipe) if not field.description]
    assert not silent


def test_every_setting_of_the_process_has_its_sentence():
    assert not [name for name, field in Settings.model_fields.items() if not field.description]


@pytest.mark.parametrize(("shelf", "name"), [(shelf, name) for shelf in SHELVES for name in Shelf(shelf).names()])
def test_every_part_and_every_setting_of_it_has_its_sentence(shelf, name):
    part = Shelf(shelf).get(name)
    assert Shelf(shelf).summary(name), "the file's first line is empty"
    assert issubclass(part, BaseModel)
    assert not [key for key, field in part.model_fields.items() if not field.description]
    assert "name" not in part.model_fields, "`name` is how a recipe names the part"


def test_every_shelf_is_a_package_with_a_sentence():
    silent = [shelf for shelf, package in SHELVES.items() if not importlib.import_module(package).__doc__]
    assert not silent
