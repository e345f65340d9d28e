"""`burnish doctor`: what is installed and what this machine can do."""

from __future__ import annotations

from typing import Annotated

import typer


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False) -> None:
    """Tell what is installed: versions, threads, memory, devices, and what is missing."""
    from burnish.flows.doctor import examine

    findings = examine()
    if as_json:
        import orjson

        print(orjson.dumps(findings, option=orjson.OPT_INDENT_2).decode())
        return
    for section, facts in findings.items():
        print(section)
        width = max(map(len, facts), default=0)
        for name, fact in facts.items():
            print(f"  {name:<{width}}  {fact}")
