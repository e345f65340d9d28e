"""`init`: a commented recipe for a data file, so that the first fit needs no manual."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from burnish.core.errors import UserError
from burnish.core.files import disk_faults, write_bytes
from burnish.data.opening import open_sources
from burnish.data.sources._contract import BadRow, Row, Source
from burnish.flows.guessing import Guess, guess, looks_headless
from burnish.recipe.show import as_yaml

SAMPLE_ROWS = 2_000
SIBLINGS = {"dev": ("dev", "valid", "validation", "val"), "test": ("test",)}


@dataclass(frozen=True)
class InitResult:
    """Where the recipe was written, what it says, and what was guessed."""

    path: Path
    text: str
    guess: Guess


def init(data: str | Path, *, out: str | Path = "recipe.yaml") -> InitResult:
    """Look at the first rows of a data file and write a recipe, each guess with its reason beside it.

    Raises:
        UserError: the file cannot be read, nothing in it looks like a label, or `out` is there already.
    """
    path = Path(out)
    if path.exists():
        raise UserError(f"{path}: is there already; remove it, or choose another with --out.")
    source, rows = _sample(data)
    try:
        found = guess(rows)
    except ValueError as error:
        raise UserError(f"{data}: {error}") from None
    text = recipe_text(found, _rows_named(data, source, path.parent), len(rows))
    with disk_faults(path):
        write_bytes(path, text.encode())
    return InitResult(path, text, found)


def recipe_text(found: Guess, sides: dict[str, tuple[Any, str]], n_rows: int) -> str:
    """The recipe as YAML with comments. `sides` maps train, dev, test → (value, reason)."""
    task = {"name": found.task, **found.settings} if found.settings else found.task
    base, why_base = _base(found)
    lines = [
        f"# Written by `burnish init` from the first {n_rows:,} rows. Guesses are marked; correct what is wrong, then:",
        "#   burnish check THIS_FILE     finds what is wrong with the data, without training",
        "#   burnish fit THIS_FILE       trains, judges, saves",
        "",
        f"# guessed: {found.reason}",
        f"task: {as_yaml(task)}",
        f"# {why_base}",
        f"base: {as_yaml(base)}",
        "data:",
        *(line for side, (value, why) in sides.items() for line in (f"  # {why}", f"  {side}: {as_yaml(value)}")),
        "  columns:",
        *(
            line
            for role, (column, why) in found.columns.items()
            for line in (f"    # guessed: {why}", f"    {role}: {as_yaml(column)}")
        ),
        "train:",
        "  # passes over the training rows",
        "  epochs: 5",
        "  # another seed, another run; the same seed, the same run",
        "  seed: 7",
        "judge:",
        "  # answers too unsure to keep this precision are marked as abstained",
        "  target_precision: 0.95",
        "  # what the result must reach; exit code 3 when missed",
        '  # gates: {accuracy: ">= 0.9"}',
    ]
    return "\n".join(lines) + "\n"


def _sample(data: str | Path) -> tuple[Source, list[dict[str, Any]]]:
    """The source and its first good rows; a file without a header is opened again as what it is."""
    source = open_sources({"name": "tsv", "path": str(data)} if Path(data).suffix == ".txt" else str(data))[0]
    rows = _good_rows(source)
    if "has_header" in type(source).model_fields and looks_headless(rows):
        names = [f"column{number}" for number in range(1, len(rows[0]) + 1)]
        name = source.part_name
        source = open_sources({"name": name, "path": str(data), "has_header": False, "names": names})[0]
        rows = _good_rows(source)
    return source, rows


def _good_rows(source: Source) -> list[dict[str, Any]]:
    good: list[dict[str, Any]] = []
    bad: list[BadRow] = []
    for row in islice(source.rows(), SAMPLE_ROWS):
        if isinstance(row, Row):
            good.append(row.values)
        else:
            bad.append(row)
    if not good:
        problems: Sequence[str] = [f"{source.place()}:{row.line}: {row.problem}" for row in bad[:20]]
        raise UserError(*(problems or [f"{source.place()}: has no rows."]))
    return good


def _rows_named(data: str | Path, source: Source, folder: Path) -> dict[str, tuple[Any, str]]:
    """Each side as the recipe names it: paths from the recipe's own folder, files beside the data taken up."""
    sides: dict[str, tuple[Any, str]] = {"train": (_named(data, source, folder), "paths start at this file's folder")}
    path = Path(data)
    for side, words in SIBLINGS.items():
        names = [path.stem.replace("train", word) for word in words if "train" in path.stem]
        beside = [path.with_name(f"{name}{path.suffix}") for name in names]
        standing = next((file for file in beside if file.is_file()), None)
        if standing is not None:
            sides[side] = (_named(standing, source, folder), "found beside the training rows")
        elif side == "dev":
            sides[side] = ("10%", "a share of train, each label in proportion, duplicates kept on one side")
    return sides


def _named(data: str | Path, source: Source, folder: Path) -> Any:
    if str(data).startswith("hub:"):
        return str(data)
    path = os.path.relpath(data, folder).replace(os.sep, "/")
    if not getattr(source, "has_header", True):
        names = list(getattr(source, "names", []))
        return {"name": source.part_name, "path": path, "has_header": False, "names": names}
    return path if Path(data).suffix != ".txt" else {"name": source.part_name, "path": path}


def _base(found: Guess) -> tuple[str, str]:
    if found.is_chinese:
        return (
            "hub:intfloat/multilingual-e5-small",
            "the texts look Chinese, which minilm does not read; a folder will do",
        )
    return "minilm", "small and quick, English; or a local folder, or hub:<id>"
