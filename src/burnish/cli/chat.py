"""`burnish chat`: talk with a bundle, a line at a time."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from burnish.cli.lines import lines
from burnish.cli.say import is_terminal, say

if TYPE_CHECKING:
    from burnish.flows.converse import Conversation

RESET, PROMPT = "/reset", "> "


def chat(
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder: of the task dialogue or generation.")],
    system: Annotated[
        str, typer.Option("--system", help="What it is told first, in place of the recipe's words.")
    ] = "",
) -> None:
    """Talk with a bundle: a line is a turn, /reset forgets all turns, Ctrl-D ends."""
    from burnish.flows.converse import converse

    talk = converse(bundle, system=system)
    if is_terminal(sys.stdin):
        say("A line is a turn; /reset forgets them all, Ctrl-D ends.")
    for said in lines(PROMPT):
        if said == RESET:
            talk.reset()
            say("Everything is forgotten.")
        elif said.strip():
            _answer(talk, said)


def _answer(talk: Conversation, said: str) -> None:
    """Print the answer as it comes."""
    for piece in talk.stream(said):
        sys.stdout.write(piece)
        sys.stdout.flush()
    sys.stdout.write("\n")
    sys.stdout.flush()
