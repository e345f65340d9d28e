"""Write the tables of docs/ that repeat the code: settings, parts, commands, scores.

`python tools/tables.py` writes them anew between their marks; a test fails while one is stale.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from typer.main import get_command

from burnish.cli.main import make_app
from burnish.core.settings import Settings
from burnish.core.shelves import SHELVES, Shelf
from burnish.evaluation.report import gate_names
from burnish.flows.parts import Setting, described, list_parts, settings_of
from burnish.recipe.outline import fields_of, section_of
from burnish.recipe.schema import Recipe
from burnish.recipe.show import as_yaml
from burnish.tasks._contract import Task

DOCS = Path(__file__).resolve().parents[1] / "docs"
START, END = "<!-- written by tools/tables.py -->", "<!-- end of what tools/tables.py writes -->"


def written() -> dict[Path, str]:
    """Each file of docs/ that holds generated text → what it should hold now."""
    texts = {
        "recipe.md": recipe_tables(),
        "parts.md": part_tables(),
        "cli.md": command_tables(),
        "judging.md": gate_table(),
    }
    return {DOCS / name: _with_block((DOCS / name).read_text("utf-8"), text) for name, text in texts.items()}


def recipe_tables() -> str:
    """Every setting of a recipe, a table for each section."""
    return "\n\n".join(_section_tables(Recipe, ()))


def part_tables() -> str:
    """Every part of every shelf, and the settings of those that have any."""
    return "\n\n".join(_shelf_text(shelf) for shelf in SHELVES)


def command_tables() -> str:
    """Every command with its arguments and options, and the environment variables of the process."""
    group: Any = get_command(make_app())
    commands = [_command_text(name, command) for name, command in group.commands.items()]
    return "\n\n".join([*commands, f"### Environment variables\n\n{_variables_table()}"])


def gate_table() -> str:
    """Every name that a gate may use, for each task."""
    tasks = Shelf("tasks")
    known = {name: gate_names(cast("type[Task]", tasks.get(name)).judged_as) for name in tasks.names()}
    rows = [(f"`{name}`", ", ".join(f"`{score}`" for score in scores)) for name, scores in known.items()]
    return _table(("task", "scores"), rows)


def _section_tables(model: type[Any], above: tuple[str, ...]) -> Iterable[str]:
    fields = fields_of(model)
    sections = {key: section for key, field in fields.items() if (section := section_of(field)) is not None}
    settings = [described(key, field) for key, field in fields.items() if key not in sections]
    title = f"### {'.'.join(above)}" if above else "### Top level"
    yield f"{title}\n\n{_settings_table(settings)}"
    for key, section in sections.items():
        yield from _section_tables(section, (*above, key))


def _shelf_text(shelf: str) -> str:
    parts = list_parts(shelf)
    texts = [f"### {shelf}", _table(("part", "what it is"), [(f"`{one.name}`", one.summary) for one in parts])]
    for one in parts:
        if settings := settings_of(shelf, one.name):
            texts.append(f"Settings of `{one.name}`:\n\n{_settings_table(settings)}")
    return "\n\n".join(texts)


def _settings_table(settings: Sequence[Setting]) -> str:
    rows = [(f"`{one.name}`", f"`{one.type}`", f"`{one.default}`", one.meaning) for one in settings]
    return _table(("setting", "type", "default", "meaning"), rows)


def _variables_table() -> str:
    defaults = Settings.model_construct().model_dump(mode="json")
    rows = [
        (f"`BURNISH_{name.upper()}`", f"`{as_yaml(defaults[name])}`", f"{field.description}")
        for name, field in Settings.model_fields.items()
    ]
    return _table(("variable", "default", "meaning"), [*rows, *_variables_of_sinks()])


def _variables_of_sinks() -> Iterable[tuple[str, str, str]]:
    """The variables that sinks of alerts read by themselves, because their values are secrets."""
    for sink in Shelf("sinks").names():
        for one in settings_of("sinks", sink):
            if one.name.endswith("_env"):
                meaning = one.meaning.removeprefix("The environment variable that holds the ")
                yield f"`{one.default}`", "`''`", f"Of the sink `{sink}`: the {meaning}"


def _command_text(name: str, command: Any) -> str:
    rows = [(f"`{_spelled(one)}`", one.help or "") for one in command.params if one.name != "help"]
    table = f"\n\n{_table(('argument or option', 'meaning'), rows)}" if rows else ""
    return f"### burnish {name}\n\n{' '.join(command.help.split())}{table}"


def _spelled(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    return ", ".join(sorted(parameter.opts, key=len, reverse=True))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _with_block(page: str, text: str) -> str:
    """The page with its one generated block replaced."""
    found = re.findall(f"{START}.*?{END}", page, re.DOTALL)
    if len(found) != 1:
        raise ValueError(f"a page needs exactly one block between '{START}' and '{END}'; this has {len(found)}")
    return page.replace(found[0], f"{START}\n\n{text}\n\n{END}")


if __name__ == "__main__":
    for path, page in written().items():
        path.write_text(page, "utf-8")
