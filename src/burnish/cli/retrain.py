"""`burnish retrain`: what feedback taught."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from burnish.cli.release import tell_verdict
from burnish.cli.retraining_options import takes_retraining
from burnish.cli.say import say
from burnish.cli.screen import watching
from burnish.core.errors import GateMissed


@takes_retraining
def retrain(
    said: dict[str, Any],
    name: Annotated[str, typer.Argument(help="The name in service, e.g. intent.")],
    settings: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Of the recipe, e.g. data.train=rows.csv.")
    ] = None,
) -> None:
    """Learn from accepted feedback, from production on; the result is a candidate. Exit code 3: it missed the gate."""
    from burnish.core.shelves import Shelf
    from burnish.flows.retrain import retrain as run
    from burnish.flows.retraining import Retraining

    Shelf("anchors").get(said["anchor"])
    asked = Retraining.model_validate(said)
    with watching() as listen:
        result = run(name, tuple(settings or ()), asked, listen=listen)
    made = f"{result.release.name}:{result.release.version}"
    print(made)
    if result.verdict is not None:
        tell_verdict(result.verdict)
    if not result.release.is_passed:
        raise GateMissed(f"{made} missed the gate: it is registered, and not promoted without --force.")
    if result.is_canary:
        say(f"`burnish worker` promotes it or takes it back; or decide now: burnish traffic {name} --finish")
    elif not result.is_promoted:
        say(f"Let it answer with: burnish promote {made}")
