"""`init`: a commented recipe for a data file, so that the first fit needs no manual."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from burnish.core.errors import UserError, listed
from burnish.core.files import disk_faults, write_bytes
from burnish.core.shelves import Shelf
from burnish.data.opening import known_suffixes
from burnish.data.sources._contract import Source
from burnish.flows.beside import Neighbour, neighbours
from burnish.flows.drafting import Side, recipe_text
from burnish.flows.guessing import Guess, guess
from burnish.flows.pacing import SHARE, SMALL_FILE_ROWS, SMALL_SHARE, Pace, mean_tokens, pace
from burnish.flows.sampling import Sample, file_of, sample
from burnish.tasks._contract import Task

TEXTS = ("text", "text_pair", "tokens", "question", "context")
"""Roles whose columns hold what the base reads."""


@dataclass(frozen=True)
class InitResult:
    """Where the recipe was written, what it says, what was guessed, and which files beside the data it names."""

    path: Path
    text: str
    guess: Guess
    beside: dict[str, Path]


def init(data: str | Path, *, out: str | Path = "recipe.yaml") -> InitResult:
    """Look at the first rows of a data file and write a recipe, each guess with its reason beside it.

    Raises:
        UserError: the file cannot be read, nothing in it looks like a label, or `out` is there already.
    """
    path = Path(out)
    if path.exists():
        raise UserError(f"{path}: is there already; remove it, or choose another with --out.")
    seen = sample(data)
    try:
        found = guess(seen.rows)
    except ValueError as error:
        raise UserError(f"{data}: {error}") from None
    beside = neighbours(seen.source, [column for column, _ in found.columns.values()])
    speed = _pace(seen, found)
    text = recipe_text(found, _sides(seen.source, path.parent, beside, _spare(found, speed)), speed, _title(seen, path))
    with disk_faults(path):
        write_bytes(path, text.encode())
    return InitResult(path, text, found, {side: one.path for side, one in beside.items() if not one.lacks})


def _title(seen: Sample, path: Path) -> str:
    looked_at = f"{seen.n_rows:,}" if seen.n_rows == len(seen.rows) else f"first {len(seen.rows):,}"
    file, out = file_of(seen.source), shlex.quote(str(path))
    return (
        f"Written by `burnish init` from the {looked_at} rows of {file.name if file else seen.source.place()}.\n"
        "Guesses are marked; correct what is wrong, then:\n"
        f"  burnish check {out}   finds what is wrong with the data, without training\n"
        f"  burnish fit {out}     trains, judges, saves"
    )


def _pace(seen: Sample, found: Guess) -> Pace:
    columns = [column for role, (column, _) in found.columns.items() if role in TEXTS]
    return pace(seen.n_rows, mean_tokens(seen.rows, columns, found.is_chinese))


def _spare(found: Guess, speed: Pace) -> dict[str, Side]:
    """Dev and test for data that has no files for them beside it."""
    task = cast("type[Task]", Shelf("tasks").get(found.task))
    proportion = "each label in proportion, " if task.stratify_by else ""
    rule = f"{SMALL_SHARE:.0%} below {SMALL_FILE_ROWS:,} rows, else {SHARE:.0%}"
    why_dev = f"a share of train ({rule}), {proportion}duplicates kept on one side"
    why_test = "test: FILE   rows to be judged on and nothing else; without them dev is judged, too kindly"
    return {"dev": Side(f"{speed.dev_share:.0%}", why_dev), "test": Side(None, why_test)}


def _sides(source: Source, folder: Path, beside: Mapping[str, Neighbour], spare: Mapping[str, Side]) -> dict[str, Side]:
    """Each side as the recipe names it, paths from the recipe's own folder."""
    sides = {"train": Side(_named(file_of(source), source, folder), "paths start at this file's folder")}
    for side, usual in spare.items():
        one = beside.get(side)
        if one is None:
            sides[side] = usual
        elif one.lacks:
            lacks = f"{one.path.name}, beside it, is left out: no {listed(one.lacks)} can be read from it"
            sides[side] = Side(usual.value, f"{usual.reason}\n{lacks}")
        else:
            sides[side] = Side(_named(one.path, source, folder), "found beside the training rows")
    return sides


def _named(path: Path | None, source: Source, folder: Path) -> Any:
    """As short as the recipe allows: a path whose suffix tells all, or the source with what must be known of it."""
    if path is None:
        return source.place()
    place = os.path.relpath(path, folder).replace(os.sep, "/")
    if not getattr(source, "has_header", True):
        names = list(getattr(source, "names", []))
        return {"name": source.part_name, "path": place, "has_header": False, "names": names}
    is_told = known_suffixes().get(path.suffix.lower()) == source.part_name
    return place if is_told else {"name": source.part_name, "path": place}
