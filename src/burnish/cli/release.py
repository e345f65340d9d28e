"""`burnish release`: a bundle under a name and a version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from burnish.cli.say import say
from burnish.cli.screen import watching
from burnish.core.errors import GateMissed

if TYPE_CHECKING:
    from burnish.evaluation.promotion import Verdict


def release(
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder; a copy is kept.")],
    name: Annotated[str, typer.Option("--name", "-n", help="What it is called in service, e.g. intent.")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Where its rows are now: data.train=rows.csv data.test=test.csv."),
    ] = None,
    why: Annotated[str, typer.Option("--why", help="The reason, for lineage and the audit log.")] = "",
    source: Annotated[
        Path | None, typer.Option("--source", help="Of a shrunk bundle: the one it was made from, for retraining.")
    ] = None,
) -> None:
    """Register a bundle as the next version of a name, held against production. Exit code 3: it missed the gate."""
    from burnish.flows.release import release as run

    with watching() as listen:
        result = run(bundle, name, tuple(settings or ()), why=why, source=source, listen=listen)
    made = f"{result.release.name}:{result.release.version}"
    print(made)
    if result.verdict is not None:
        tell_verdict(result.verdict)
    if not result.is_good:
        raise GateMissed(f"{made} missed the gate: it is registered, and not promoted without --force.")
    say(f"Let it answer with: burnish promote {made}")


def tell_verdict(verdict: Verdict) -> None:
    """Each check of a gate on a line."""
    for check in verdict.checks:
        say(f"{'passed' if check.is_passed else 'MISSED'}  {check.name}: {check.sentence}", _level(check.is_passed))


def _level(is_passed: bool) -> str:
    return "good" if is_passed else "error"
