"""`burnish traffic`: canary and shadow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from burnish.cli.say import say
from burnish.core.errors import GateMissed, UserError

if TYPE_CHECKING:
    from burnish.flows.traffic import Traffic

FIRST_PERCENT = 5


def traffic(
    name: Annotated[str, typer.Argument(help="The name in service, e.g. intent.")],
    canary: Annotated[int | None, typer.Option("--canary", min=1, help="Version that answers a share.")] = None,
    percent: Annotated[
        float | None, typer.Option("--percent", min=0.01, max=100, help="The canary's share; 5 at first.")
    ] = None,
    shadow: Annotated[int | None, typer.Option("--shadow", min=1, help="Version that is asked and not heard.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Production alone answers again.")] = False,
    finish: Annotated[
        bool, typer.Option("--finish", help="Decide on the canary that `burnish retrain --canary` has on trial.")
    ] = False,
) -> None:
    """How a name's requests are shared out; without options, how they are now. What is not named stays as it is."""
    from burnish.flows.traffic import Traffic, set_traffic, traffic_now
    from burnish.store.home import opened_home, whoami

    if (off or finish) and (canary or shadow or percent):
        raise UserError("--off takes canary and shadow away, --finish decides on the canary; leave the others out.")
    if finish:
        _finish(name)
        return
    with opened_home() as home:
        now = traffic_now(home, name)
        if percent and not (canary or now.canary):
            raise UserError("--percent is the share of a canary; name its version: --canary 7.")
        if off or canary or shadow or percent:
            wanted = Traffic() if off else _changed(now, canary, percent, shadow)
            set_traffic(home, name, wanted, whoami())
            now = traffic_now(home, name)
    parts = [f"{now.percent:g} % to version {now.canary} (canary)"] if now.canary else []
    parts += [f"version {now.shadow} is asked too (shadow)"] if now.shadow else []
    say(f"{name}: {'; '.join(parts) or 'production answers everything'}")


def _changed(now: Traffic, canary: int | None, percent: float | None, shadow: int | None) -> Traffic:
    changes: dict[str, Any] = {} if shadow is None else {"shadow": shadow}
    if canary is not None or percent is not None:
        changes |= {"canary": canary or now.canary, "percent": percent or now.percent or FIRST_PERCENT}
    return now.model_validate({**now.model_dump(), **changes})


def _finish(name: str) -> None:
    """Exit code 3 where the canary is taken back."""
    from burnish.flows.canary import finish_canary

    found = finish_canary(name)
    if found.state == "withdrawn":
        raise GateMissed(found.sentence)
    say(found.sentence, "good" if found.state == "promoted" else "")
