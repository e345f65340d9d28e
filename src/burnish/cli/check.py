"""`burnish check`: validate a recipe and its data without training."""

from __future__ import annotations

from typing import Annotated

import typer

from burnish.cli.recipe_options import Asked, takes_recipe
from burnish.cli.say import say
from burnish.cli.screen import watching


@takes_recipe
def check(
    asked: Asked,
    filled: Annotated[bool, typer.Option("--filled", help="Print the recipe with every default written out.")] = False,
) -> None:
    """Validate a recipe and its data without training. Exit code 2 when something is wrong."""
    from burnish.flows.check import check as run
    from burnish.recipe.show import filled_yaml

    with watching() as listen:
        result = run(asked.recipe, asked.overrides, listen=listen, **asked.fields)
    for warning in result.warnings:
        say(warning, "warning")
    if filled:
        print(filled_yaml(result.recipe), end="")
    n_warnings = len(result.warnings)
    say(f"The recipe and its data can be used; {n_warnings} warning{'s' * (n_warnings != 1)}.", "good")
