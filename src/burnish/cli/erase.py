"""`burnish erase`: forget what a key asked, or an input."""

from __future__ import annotations

from typing import Annotated

import typer

from burnish.cli.say import say
from burnish.core.errors import UserError


def erase(
    key: Annotated[str | None, typer.Option("--key", metavar="ID", help="Everything that this key asked.")] = None,
    subject: Annotated[
        str | None, typer.Option("--subject", metavar="SUB", help="Everything that this subject of the issuer asked.")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", help="Everything that was answered to exactly this text.")
    ] = None,
) -> None:
    """Delete predictions and the feedback on them, for good. What was released from them needs a retraining."""
    from burnish.flows.erase import erase as run

    if [key, subject, text].count(None) != 2:
        raise UserError("give one of --key, --subject and --text.")
    say(f"{run(key=key, subject=subject, text=text):,} predictions and the feedback on them are deleted", "good")
