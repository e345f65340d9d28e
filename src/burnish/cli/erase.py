"""`burnish erase`: forget what a key asked, or an input."""

from __future__ import annotations

from typing import Annotated

import typer

from burnish.cli.say import say
from burnish.core.errors import UserError


def erase(
    key: Annotated[str | None, typer.Option("--key", metavar="ID", help="Everything that this key asked.")] = None,
    text: Annotated[
        str | None, typer.Option("--text", help="Everything that was answered to exactly this text.")
    ] = None,
) -> None:
    """Delete predictions and the feedback on them, for good. What was released from them needs a retraining."""
    from burnish.flows.erase import erase as run

    if (key is None) == (text is None):
        raise UserError("give one of --key and --text.")
    say(f"{run(key=key, text=text):,} predictions and the feedback on them are deleted", "good")
