"""`burnish alerts`: what watches said."""

from __future__ import annotations

from typing import Annotated

import typer

from burnish.cli.lists import moment, print_table
from burnish.cli.say import say
from burnish.core.errors import UserError


def alerts(
    name: Annotated[str | None, typer.Argument(help="Of one name only.")] = None,
    acknowledge: Annotated[str | None, typer.Option("--acknowledge", metavar="ID", help="Somebody is at it.")] = None,
    resolve: Annotated[str | None, typer.Option("--resolve", metavar="ID", help="It is over.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Resolved ones too.")] = False,
) -> None:
    """Alerts that are open; or say what was done about one."""
    from burnish.store.home import opened_home, whoami

    if acknowledge is not None and resolve is not None:
        raise UserError("give one of --acknowledge and --resolve.")
    with opened_home() as home:
        if name is not None and not home.releases.all(name):
            home.releases.find(name)
        if acknowledge is not None:
            home.alerts.change(acknowledge, "acknowledged", whoami())
            say(f"{acknowledge} is acknowledged", "good")
        elif resolve is not None:
            home.alerts.change(resolve, "resolved", whoami())
            say(f"{resolve} is resolved", "good")
        else:
            found = home.alerts.all(name, () if everything else ("open", "acknowledged"))
            rows = [
                [one.id, moment(one.at), one.name, one.watch, one.severity, one.state, one.sentence] for one in found
            ]
            print_table(["id", "at", "name", "watch", "severity", "state", "what"], rows)
