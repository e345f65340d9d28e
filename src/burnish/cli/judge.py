"""`burnish judge`: judge a bundle again, on its own test rows or on others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from burnish.cli.results import tell_gates, tell_scores
from burnish.cli.screen import watching


def judge(
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder.")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Settings to change, such as judge.n_errors=100."),
    ] = None,
    data: Annotated[str | None, typer.Option("--data", "-d", help="Rows to judge on instead of its own.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the report into this new folder.")] = None,
) -> None:
    """Judge a bundle; with --out, write a report. Exit code 3 when a gate is missed."""
    from burnish.flows.judge import judge as run

    with watching() as listen:
        result = run(bundle, data, out=out, listen=listen, overrides=tuple(settings or ()))
    tell_scores(result.report)
    for file in result.files:
        print(file)
    tell_gates(result.report.gates)
