"""`burnish releases`: every version, and which one answers."""

from __future__ import annotations

from typing import Annotated

import typer

from burnish.cli.lists import moment, print_table


def releases(
    name: Annotated[str | None, typer.Argument(help="Of one name only.")] = None,
) -> None:
    """Every version of every name, newest first, with its aliases and lineage."""
    from burnish.store.home import opened_home

    with opened_home() as home:
        found, aliases = home.releases.all(name), home.releases.aliases()
        if name is not None and not found:
            home.releases.find(name)
    rows = []
    for one in found:
        own = [alias.alias for alias in aliases if (alias.name, alias.version) == (one.name, one.version)]
        parent = "" if one.parent is None else f"{one.name}:{one.parent}"
        gate = "MISSED" if not one.is_passed else "none" if one.gates is None else "passed"
        shown = [", ".join(own), one.task, gate, parent, moment(one.at), one.by, one.digest[:12], one.why]
        rows.append([f"{one.name}:{one.version}", *shown])
    print_table(["version", "is", "task", "gate", "parent", "at", "by", "digest", "why"], rows)
