"""`burnish promote`: which version answers."""

from __future__ import annotations

from typing import Annotated

import typer

from burnish.cli.say import say


def promote(
    name: Annotated[str, typer.Argument(help="The version, e.g. intent:7 or intent@candidate.")],
    why: Annotated[str, typer.Option("--why", help="The reason, for the audit log.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Although it missed its gate.")] = False,
) -> None:
    """Make a version production. Servers follow within a second. Exit code 3: it missed its gate."""
    from burnish.flows.promote import promote as run

    made = run(name, why=why, force=force)
    say(f"{made.name}:{made.version} is production. Back with: burnish rollback {made.name}", "good")
