"""`burnish compare`: two bundles on the same rows, with a paired test."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from burnish.cli.screen import watching


def compare(
    a: Annotated[Path, typer.Argument(metavar="BUNDLE_A", help="The bundle that stands.")],
    b: Annotated[Path, typer.Argument(metavar="BUNDLE_B", help="The bundle that may replace it.")],
    data: Annotated[str | None, typer.Option("--data", "-d", help="Rows to compare on, instead of A's own.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Say whether one bundle is better than another, and how sure that is."""
    from burnish.flows.compare import compare as run

    with watching() as listen:
        comparison = run(a, b, data, listen=listen)
    if as_json:
        import orjson

        print(orjson.dumps(comparison.to_dict(), option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY).decode())
    else:
        print(comparison.sentence)
