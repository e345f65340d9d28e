"""`burnish shrink`: the fastest model that keeps to an accuracy budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from burnish.cli.budget import Limits, takes_budget
from burnish.cli.results import tell_gates, tell_scores
from burnish.cli.say import say
from burnish.cli.screen import watching
from burnish.core.errors import GateMissed

if TYPE_CHECKING:
    from burnish.compression.frontier import Frontier


@takes_budget
def shrink(
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder; it stays as it is.")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Where its rows are now, e.g. data.train=rows.csv."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the new bundle; BUNDLE-small.")] = None,
    ways: Annotated[
        list[str] | None,
        typer.Option("--try", help="Methods in order, 'vocabulary, int8_static', or 'thorough'; repeatable."),
    ] = None,
    limits: Limits | None = None,
) -> None:
    """Make a bundle small and fast within an accuracy budget. Exit code 3 when nothing keeps to it."""
    from burnish.flows.shrink import shrink as run

    with watching() as listen:
        result = run(bundle, tuple(settings or ()), out=out, ways=ways or (), listen=listen, **limits or {})
    _tell(result.frontier)
    if result.bundle is None:
        raise GateMissed(_missed(result.frontier))
    page = result.bundle / "report" / "shrink.html"
    say(f"The bundle is in {result.bundle}. What was tried: {page}", "good")
    if result.report is not None:
        tell_scores(result.report)
        tell_gates(result.report.gates)


def _missed(frontier: Frontier) -> str:
    if frontier.is_open:
        told = f"{frontier.n_rows:,} dev rows cannot tell so small a drop from chance"
        return f"nothing keeps to the budget: {told}; give more of them, or allow a larger --max-drop."
    return "nothing keeps to the budget; allow a larger --max-drop, or try other ways with --try."


def _tell(frontier: Frontier) -> None:
    from burnish.compression.frontier import HEADINGS

    rows = [["", *HEADINGS], *frontier.rows()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        names = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
        numbers = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
        print("  ".join([*names, *numbers]).rstrip())
