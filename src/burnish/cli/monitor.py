"""`burnish monitor`: what a model in service is doing."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from burnish.cli.lists import moment
from burnish.cli.say import is_terminal, say
from burnish.cli.screen import watching
from burnish.core.errors import UserError

if TYPE_CHECKING:
    from burnish.store.home import Home

HOUR_S = 3_600
N_LABELS = 8


def monitor(
    name: Annotated[str, typer.Argument(help="The name in service, e.g. intent.")],
    report: Annotated[Path | None, typer.Option("--report", help="Write a page with plots to this file.")] = None,
    days: Annotated[float, typer.Option("--days", min=0.05, help="How far back the report goes.")] = 7,
    look: Annotated[
        bool, typer.Option("--look", help="Look at the newest whole window now, as the worker does.")
    ] = False,
    every_s: Annotated[float, typer.Option("--every", min=0.2, help="Seconds between two looks of the live page.")] = 2,
) -> None:
    """A live page of the last hour; or a report of some days, or one look of all watches."""
    from burnish.store.home import opened_home, whoami

    if report is not None and look:
        raise UserError("give one of --report and --look.")
    if report is not None:
        from burnish.flows.monitor import write_report

        with watching() as listen:
            write_report(name, report, days, listen)
        return
    with opened_home() as home:
        name = home.releases.find(name).name
        if look:
            from burnish.flows.monitor import look as run

            with watching() as listen:
                found = run(home, name, whoami(), listen)
            say(f"{found['inputs']:,} inputs in the newest window; {len(found['alerts'])} new or changed alerts")
        else:
            _live(home, name, every_s)


def _live(home: Home, name: str, every_s: float) -> None:
    """The page, drawn anew until Ctrl-C; once where nobody watches."""
    import sys

    from rich.console import Console
    from rich.live import Live

    if not is_terminal(sys.stdout):
        Console(width=100).print(_page(home, name))
        return
    with Live(_page(home, name), screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(every_s)
            live.update(_page(home, name), refresh=True)


def _page(home: Home, name: str) -> Any:
    from rich.console import Group
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    now = time.time()
    found = list(home.predictions.of_period(name, now - HOUR_S, now))
    release = home.releases.find(name)
    last = [one for one in found if one.at > now - 60]
    times = sorted(one.ms for one in found) or [0.0]
    numbers = Table.grid(padding=(0, 3))
    numbers.add_row("inputs", f"{len(found):,} in the last hour", f"{len(last):,} in the last minute")
    numbers.add_row("milliseconds", f"median {times[len(times) // 2]:.1f}", f"p99 {times[int(len(times) * 0.99)]:.1f}")
    sure = [one.confidence for one in found if one.confidence is not None]
    withheld = sum(one.is_abstained for one in found)
    numbers.add_row("confidence", f"mean {sum(sure) / len(sure):.3f}" if sure else "none", f"withheld {withheld:,}")
    labels = Table(box=None, padding=(0, 2))
    for heading in ("label", "share", ""):
        labels.add_column(heading)
    for label, count in Counter(one.label or "none" for one in found).most_common(N_LABELS):
        share = count / len(found)
        labels.add_row(label[:40], f"{share:.1%}", "█" * round(share * 40))
    alerts = [one for one in home.alerts.all(name) if one.state != "resolved"][:5]
    told = [Text(f"{moment(one.at)}  {one.sentence}", style="yellow") for one in alerts] or [Text("no open alerts")]
    title = f"{release.name}:{release.version}  {release.task}  {moment(now)}"
    return Panel(Group(numbers, Text(""), labels, Text(""), *told), title=title)
