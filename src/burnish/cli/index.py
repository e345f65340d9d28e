"""`burnish index`: add rows to what a bundle searches, or delete some, without training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from burnish.cli.say import say
from burnish.cli.screen import watching


def index(
    bundle: Annotated[Path, typer.Argument(help="The folder of a bundle of the task retrieval.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the new bundle; the old one stays as it is.")],
    add: Annotated[str | None, typer.Option("--add", "-a", help="A file of rows to add.")] = None,
    delete: Annotated[str | None, typer.Option("--delete", "-d", help="Ids to delete: a,b,c.")] = None,
) -> None:
    """Add rows to what a bundle searches, or delete some, without training. Writes a new bundle."""
    from burnish.flows.index import index as run

    ids = [name.strip() for name in (delete or "").split(",") if name.strip()]
    with watching() as listen:
        result = run(bundle, out=out, add=add, delete=ids, listen=listen)
    say(
        f"{result.bundle} searches {result.n_rows:,} rows: {result.n_added:,} added, {result.n_deleted:,} deleted.",
        "good",
    )
