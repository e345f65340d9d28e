"""`burnish rollback`: back to the version before."""

from __future__ import annotations

from typing import Annotated

import typer

from burnish.cli.say import say


def rollback(
    name: Annotated[str, typer.Argument(help="The name, e.g. intent.")],
    why: Annotated[str, typer.Option("--why", help="The reason, for the audit log.")] = "",
) -> None:
    """Make the version that was production before production again. Servers follow within a second."""
    from burnish.flows.promote import rollback as run

    made = run(name, why=why)
    say(f"{made.name}:{made.version} is production again.", "good")
