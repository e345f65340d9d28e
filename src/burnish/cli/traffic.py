"""`burnish traffic`: canary and shadow."""

from __future__ import annotations

from typing import Annotated

import typer

from burnish.cli.say import say
from burnish.core.errors import UserError


def traffic(
    name: Annotated[str, typer.Argument(help="The name in service, e.g. intent.")],
    canary: Annotated[int | None, typer.Option("--canary", min=1, help="Version that answers a share.")] = None,
    percent: Annotated[float, typer.Option("--percent", min=0, max=100, help="The canary's share.")] = 5,
    shadow: Annotated[int | None, typer.Option("--shadow", min=1, help="Version that is asked and not heard.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Production alone answers again.")] = False,
) -> None:
    """How a name's requests are shared out; without options, how they are now."""
    from burnish.flows.traffic import Traffic, set_traffic, traffic_now
    from burnish.store.home import opened_home, whoami

    if off and (canary or shadow):
        raise UserError("--off takes canary and shadow away; leave them out.")
    with opened_home() as home:
        if off or canary or shadow:
            wanted = Traffic(canary=canary, percent=percent if canary else 0, shadow=shadow)
            set_traffic(home, name, wanted, whoami())
        now = traffic_now(home, name)
    parts = [f"{now.percent:g} % to version {now.canary} (canary)"] if now.canary else []
    parts += [f"version {now.shadow} is asked too (shadow)"] if now.shadow else []
    say(f"{name}: {'; '.join(parts) or 'production answers everything'}")
