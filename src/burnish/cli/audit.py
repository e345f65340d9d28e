"""`burnish audit`: who did what."""

from __future__ import annotations

from typing import Annotated

import typer

from burnish.cli.lists import moment, print_table
from burnish.cli.say import say
from burnish.core.errors import UserError


def audit(
    verify: Annotated[bool, typer.Option("--verify", help="Only check that nothing was changed or cut off.")] = False,
    last: Annotated[int, typer.Option("--last", min=1, help="How many lines.")] = 50,
) -> None:
    """The audit log, checked first: releases, keys, decisions, deletions. Exit code 2: it was tampered with."""
    from burnish.store.home import opened_home

    with opened_home() as home:
        if (fault := home.audit.fault()) is not None:
            raise UserError(fault)
        lines = list(home.audit.entries())
    say(f"{len(lines):,} lines, all as they were written", "good")
    if not verify:
        rows = [[one.number, moment(one.at), one.who, one.what, one.about, one.detail or ""] for one in lines[-last:]]
        print_table(["", "at", "who", "what", "about", "detail"], rows)
