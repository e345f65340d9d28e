"""`burnish backup`: a copy of the installation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from burnish.cli.say import say


def backup(
    out: Annotated[Path, typer.Argument(help="A new folder; BURNISH_HOME=FOLDER uses it.")],
) -> None:
    """Copy database, released bundles, frozen rows and secret while everything goes on, and check the copy."""
    from burnish.store.backup import back_up
    from burnish.store.home import opened_home

    with opened_home() as home:
        back_up(home, out)
    say(f"wrote {out}; use it with BURNISH_HOME={out.absolute()}", "good")
