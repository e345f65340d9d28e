"""`burnish retrain`: what feedback taught."""

from __future__ import annotations

from typing import Annotated

import typer

from burnish.cli.release import tell_verdict
from burnish.cli.say import say
from burnish.cli.screen import watching
from burnish.core.errors import GateMissed


def retrain(
    name: Annotated[str, typer.Argument(help="The name in service, e.g. intent.")],
    settings: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Of the recipe, e.g. data.train=rows.csv.")
    ] = None,
    least: Annotated[int, typer.Option("--least", min=1, help="Fewest inputs with new corrections.")] = 20,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Passes over old rows and corrections.")] = 2,
    anchor: Annotated[str, typer.Option("--anchor", help="Against forgetting: none, l2sp, ewc, replay.")] = "none",
    promote_if_better: Annotated[
        bool, typer.Option("--promote-if-better", help="Make it production when it passes and scores higher.")
    ] = False,
) -> None:
    """Learn from accepted feedback, from production on; the result is a candidate. Exit code 3: it missed the gate."""
    from burnish.core.shelves import Shelf
    from burnish.flows.retrain import retrain as run
    from burnish.flows.retraining import Retraining

    Shelf("anchors").get(anchor)
    asked = Retraining.model_validate(
        {"least": least, "epochs": epochs, "anchor": anchor, "promote_if_better": promote_if_better}
    )
    with watching() as listen:
        result = run(name, tuple(settings or ()), asked, listen=listen)
    made = f"{result.release.name}:{result.release.version}"
    print(made)
    if result.verdict is not None:
        tell_verdict(result.verdict)
    if not result.release.is_passed:
        raise GateMissed(f"{made} missed the gate: it is registered, and not promoted without --force.")
    if not result.is_promoted:
        say(f"Let it answer with: burnish promote {made}")
