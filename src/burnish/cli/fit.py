"""`burnish fit`: train, judge and save."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from burnish.cli.recipe_options import Asked, takes_recipe
from burnish.cli.results import tell_bundle, tell_gates, tell_scores, tell_start
from burnish.cli.say import say
from burnish.cli.screen import watching


@takes_recipe
def fit(
    asked: Asked,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder for the bundle; else runs/ and the recipe's name.", show_default=False
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint of a stopped run.")] = False,
) -> None:
    """Train on your rows, judge the result, and save it as a bundle."""
    from burnish.flows.fit import fit as run

    with watching() as listen:
        result = run(asked.recipe, asked.overrides, out=out, resume=resume, listen=listen, **asked.fields)
    if result.report is None:
        say("Nothing was judged: the recipe names no rows for it. `burnish judge` does it later.")
    else:
        tell_scores(result.report)
        tell_start(result)
    tell_bundle(result)
    tell_gates(result.gates)
