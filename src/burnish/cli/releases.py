"""`burnish releases`: every version, and which one answers; or all that is known of one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from burnish.cli.lists import moment, one_line, print_table, printable

if TYPE_CHECKING:
    from burnish.store.records import Alias, Release


def releases(
    name: Annotated[
        str | None, typer.Argument(help="Of one name only; or all that is known of one version: intent:7.")
    ] = None,
) -> None:
    """Every version of every name, newest first, with its aliases and lineage."""
    from burnish.store.home import opened_home
    from burnish.store.releases import NAME

    with opened_home() as home:
        is_version = name is not None and not NAME.fullmatch(name)
        found, aliases = [] if is_version else home.releases.all(name), home.releases.aliases()
        if name is not None and not found:
            found = [home.releases.find(name)]
    if is_version:
        _print_one(found[0], _aliases(found[0], aliases))
        return
    rows = []
    for one in found:
        shown = [
            _aliases(one, aliases),
            one.task,
            _gate(one),
            _parent(one),
            moment(one.at),
            one.by,
            one.digest[:12],
            one.why,
        ]
        rows.append([f"{one.name}:{one.version}", *shown])
    print_table(["version", "is", "task", "gate", "parent", "at", "by", "digest", "why"], rows)


def _print_one(release: Release, aliases: str) -> None:
    """Lineage, what the gate found, and the recipe in full."""
    told = {
        "version": f"{release.name}:{release.version}",
        "is": aliases,
        "task": release.task,
        "at": moment(release.at),
        "by": release.by,
        "why": release.why,
        "parent": _parent(release),
        "bundle": release.digest,
        "made from": release.source,
        "data card": release.data_digest,
        "burnish": release.code_version,
        "gate": _gate(release),
    }
    for heading, value in told.items():
        if value:
            print(f"{heading:<10} {one_line(value)}")
    for check in (release.gates or {}).get("checks", ()):
        sentence = one_line(f"{check['name']}: {check['sentence']}")
        print(f"  {'passed' if check['is_passed'] else 'MISSED'}  {sentence}")
    if release.recipe:
        print("recipe")
        for line in release.recipe.splitlines():
            print(f"  {printable(line)}")


def _aliases(release: Release, aliases: Iterable[Alias]) -> str:
    return ", ".join(one.alias for one in aliases if (one.name, one.version) == (release.name, release.version))


def _parent(release: Release) -> str:
    return "" if release.parent is None else f"{release.name}:{release.parent}"


def _gate(release: Release) -> str:
    return "MISSED" if not release.is_passed else "none" if release.gates is None else "passed"
