"""The docs say what the code is: generated tables are fresh, links lead somewhere, commands in them exist."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

import burnish
from burnish.cli.main import make_app
from burnish.core.shelves import SHELVES

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("samples/*.md")])
COMMANDS = get_command(make_app()).commands


def tables():
    spec = importlib.util.spec_from_file_location("tables", ROOT / "tools" / "tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def named(page):
    return page.relative_to(ROOT).as_posix()


def code_blocks(page):
    return re.findall(r"^```(\w*)\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def command_lines(page):
    """Every shell line of a page that starts with `burnish`, a `$ ` before it taken off, `\\` at its end joined."""
    for language, text in code_blocks(page):
        if language in ("sh", "console"):
            lines = text.replace("\\\n", " ").splitlines()
            yield from (line.removeprefix("$ ") for line in lines if line.removeprefix("$ ").startswith("burnish "))


@pytest.mark.parametrize("name", ["recipe.md", "parts.md", "cli.md", "judging.md"])
def test_a_generated_table_says_what_the_code_says(name):
    path = ROOT / "docs" / name
    assert path.read_text("utf-8") == tables().written()[path], f"docs/{name} is stale: run `make docs`"


def test_a_cell_is_one_line_whatever_the_text():
    assert tables()._cell("one\n    two | three") == "one two \\| three"


def test_every_variable_that_a_sink_reads_is_in_the_tables():
    for page in ("cli.md", "operations.md"):
        text = (ROOT / "docs" / page).read_text("utf-8")
        assert {"BURNISH_ALERT_URLS", "BURNISH_WEBHOOK_SECRET"} <= set(re.findall(r"BURNISH_[A-Z_]+", text))


def test_a_page_without_its_marks_is_refused():
    with pytest.raises(ValueError, match=r"a page needs exactly one block between .*; this has 0"):
        tables()._with_block("no marks", "text")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_to_a_file_and_its_heading(page):
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text("utf-8")):
        file, _, anchor = target.partition("#")
        aim = (page.parent / file) if file else page
        assert aim.exists(), f"{named(page)} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", aim.read_text("utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", one).strip().lower().replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_line_uses_commands_and_options_that_there_are(page):
    for line in command_lines(page):
        words = shlex.split(line, comments=True)
        if words[1].startswith("-"):
            continue
        assert words[1] in COMMANDS, f"{named(page)}: {line}"
        known = {flag for parameter in COMMANDS[words[1]].params for flag in parameter.opts} | {"--help", "--debug"}
        assert {word for word in words[2:] if word.startswith("-") and not word[1].isdigit()} <= known, line


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_a_readme_shows_every_verb_of_the_loop(readme):
    text = (ROOT / readme).read_text("utf-8")
    assert {"make demo", "make test"} <= set(re.findall(r"make \w+", text))
    for verb in ("init", "check", "fit", "judge", "predict", "compare"):
        assert f"burnish {verb}" in text


def test_the_architecture_page_is_short_and_names_every_shelf_and_room():
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    rooms = {folder.name for folder in Path(burnish.__file__).parent.iterdir() if (folder / "__init__.py").is_file()}
    assert len(text.splitlines()) <= 150
    assert {word for word in {*SHELVES, *rooms} if not re.search(rf"\b{word}\b", text)} == set()
