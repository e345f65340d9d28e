"""`burnish shrink`: the fastest model that keeps to an accuracy budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from burnish.cli.results import tell_gates, tell_scores
from burnish.cli.screen import watching
from burnish.core.errors import GateMissed

if TYPE_CHECKING:
    from burnish.compression.frontier import Frontier


def shrink(
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder; it stays as it is.")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Where its rows are now, e.g. data.train=rows.csv."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the new bundle; BUNDLE-small.")] = None,
    max_drop: Annotated[
        float, typer.Option("--max-drop", min=0, help="Points that may be lost on dev, at 95 % confidence.")
    ] = 0.5,
    target_ms: Annotated[float | None, typer.Option("--target-ms", help="Most ms for one text.")] = None,
    target_mb: Annotated[float | None, typer.Option("--target-mb", help="Most MB of the model.")] = None,
    keep: Annotated[list[str] | None, typer.Option("--keep", help="Least F1 of a label, e.g. 'refund>=0.9'.")] = None,
    ways: Annotated[
        list[str] | None, typer.Option("--try", help="Methods in order, e.g. 'vocabulary, int8_static'; repeatable.")
    ] = None,
    is_thorough: Annotated[bool, typer.Option("--thorough", help="Also teach smaller networks: slow.")] = False,
) -> None:
    """Make a bundle small and fast within an accuracy budget. Exit code 3 when nothing keeps to it."""
    from burnish.flows.shrink import shrink as run

    with watching() as listen:
        result = run(
            bundle, tuple(settings or ()), out=out, max_drop=max_drop, target_ms=target_ms, target_mb=target_mb,
            keep=keep or (), ways=ways or (), is_thorough=is_thorough, listen=listen,
        )  # fmt: skip
    _tell(result.frontier)
    if result.bundle is None:
        raise GateMissed("nothing keeps to the budget; allow a larger --max-drop, or try other ways with --try.")
    if result.report is not None:
        tell_scores(result.report)
        tell_gates(result.report.gates)
    print(f"The bundle is in {result.bundle}; what was tried: {result.bundle / 'report' / 'shrink.html'}")


def _tell(frontier: Frontier) -> None:
    from burnish.compression.frontier import HEADINGS

    rows = [["", *HEADINGS], *frontier.rows()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if at < 2 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
