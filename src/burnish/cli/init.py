"""`burnish init`: a commented recipe from a data file."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from burnish.cli.say import say


def init(
    data: Annotated[str, typer.Argument(help="A file with labelled rows: csv, tsv, jsonl, parquet, conll.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write the recipe.")] = Path("recipe.yaml"),
) -> None:
    """Look at a data file and write a commented recipe for it."""
    from burnish.flows.init import init as run

    result = run(data, out=out)
    print(result.path)
    say(f"task {result.guess.task}: {result.guess.reason}")
    for side, file in result.beside.items():
        say(f"{side} {file}: found beside the training rows")
    path = shlex.quote(str(result.path))
    say(f"Read it, then: burnish check {path}, burnish fit {path}", "good")
