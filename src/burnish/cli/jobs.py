"""`burnish jobs`: work to be done by workers."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from burnish.cli.lists import moment, print_table
from burnish.cli.say import say
from burnish.core.errors import UserError

HOUR_S = 3_600


def jobs(
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Of a new job, e.g. name=intent least=50.")
    ] = None,
    add: Annotated[str | None, typer.Option("--add", metavar="KIND", help="retrain, monitor or purge.")] = None,
    every_hours: Annotated[float | None, typer.Option("--every-hours", help="Do it again and again.")] = None,
    in_hours: Annotated[float, typer.Option("--in-hours", min=0, max=9_000, help="Not before then.")] = 0,
    cancel: Annotated[str | None, typer.Option("--cancel", metavar="ID", help="Let a job not be done.")] = None,
    log: Annotated[str | None, typer.Option("--log", metavar="ID", help="Print what a job told.")] = None,
) -> None:
    """The newest jobs; or add one, cancel one, or read its log. `burnish worker` does them."""
    from burnish.store.home import opened_home, whoami

    if sum(one is not None for one in (add, cancel, log)) > 1:
        raise UserError("give one of --add, --cancel and --log.")
    if add is None and (arguments or every_hours is not None or in_hours):
        raise UserError("arguments and times are those of a new job; say its kind: --add KIND.")
    with opened_home() as home:
        if add is not None:
            from burnish.flows.work import refuse_unknown_job
            from burnish.store.jobs import EVERY

            told = _read(arguments or []) | ({} if every_hours is None else {EVERY: every_hours * HOUR_S})
            refuse_unknown_job(add, told)
            if "name" in told:
                home.releases.find(told["name"])
            print(home.jobs.add(add, told, whoami(), time.time() + in_hours * HOUR_S).id)
        elif cancel is not None:
            home.jobs.cancel(cancel, whoami())
            say(f"{cancel} is cancelled", "good")
        elif log is not None:
            print(home.jobs.find(log).log, end="")
        else:
            print_table(["id", "kind", "state", "due", "try", "how far", "arguments", "result"], _rows(home.jobs.all()))


def _read(said: list[str]) -> dict[str, Any]:
    import yaml

    found = {}
    for one in said:
        key, is_set, value = one.partition("=")
        if not is_set:
            raise UserError(f"'{one}' is no argument; write KEY=VALUE, e.g. name=intent.")
        try:
            found[key] = value if key == "name" else yaml.safe_load(value)
        except yaml.YAMLError:
            raise UserError(f"'{one}': the value cannot be read; quote a text, and write a list as [a, b].") from None
    return found


def _rows(found: list[Any]) -> list[list[object]]:
    rows: list[list[object]] = []
    for job in found:
        told = [_far(job.progress), _told(job.arguments), _told(job.result)]
        rows.append([job.id, job.kind, job.state, moment(job.due_at), job.attempts, *told])
    return rows


def _far(progress: dict[str, Any] | None) -> str:
    if progress is None:
        return ""
    total = f"/{progress['total']:,}" if progress["total"] else ""
    return f"{progress['stage']} {progress['done']:,}{total} {progress['unit']}"


def _told(value: dict[str, Any] | None) -> str:
    return ", ".join(f"{key}={one}" for key, one in (value or {}).items() if not isinstance(one, dict))
