"""`burnish pretrain`: let a base go on learning from plain text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from burnish.cli.recipe_options import Asked, takes_recipe
from burnish.cli.results import tell_bundle, tell_gates, tell_scores, tell_start
from burnish.cli.screen import watching


@takes_recipe
def pretrain(
    asked: Asked,
    text: Annotated[
        list[str] | None,
        typer.Option("--text", help="A file of plain text, .txt or .txt.gz; may be repeated.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder for the bundle; else runs/ and the recipe's name.", show_default=False
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint of a stopped run.")] = False,
) -> None:
    """Train a base further on plain text; the result is a base for every other task."""
    from burnish.flows.pretrain import pretrain as run

    fields = {**asked.fields, "resume": resume}
    with watching() as listen:
        result = run(asked.recipe, asked.overrides, text=text or None, out=out, listen=listen, **fields)
    if result.report is not None:
        tell_scores(result.report)
        tell_start(result)
    tell_bundle(result)
    tell_gates(result.gates)
