"""`burnish keys`: who may ask."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from burnish.cli.lists import moment, print_table
from burnish.cli.say import say
from burnish.core.errors import UserError, hint, listed

DAY_S = 86_400
HOUR_S = 3_600
LIMITS = ("days", "per_minute", "per_day", "model")
MOST = 1e9


def keys(
    create: Annotated[str | None, typer.Option("--create", metavar="OWNER", help="Make a key for somebody.")] = None,
    roles: Annotated[
        list[str] | None, typer.Option("--role", help="predict, feedback, review, release, admin; repeatable.")
    ] = None,
    limits: Annotated[
        list[str] | None,
        typer.Option("--limit", help="days=30, per_minute=600, per_day=10000, model=intent; repeatable."),
    ] = None,
    revoke: Annotated[str | None, typer.Option("--revoke", metavar="ID", help="Refuse a key from now on.")] = None,
    rotate: Annotated[str | None, typer.Option("--rotate", metavar="ID", help="A new key in place of one.")] = None,
    overlap_hours: Annotated[
        float, typer.Option("--overlap-hours", min=0, max=720, help="With --rotate: the old one is taken for so long.")
    ] = 0,
) -> None:
    """Every key; or make, revoke or replace one. A key's text is printed once, when it is made."""
    from burnish.store.home import opened_home, whoami

    if sum(one is not None for one in (create, revoke, rotate)) > 1:
        raise UserError("give one of --create, --revoke and --rotate.")
    if create is None and (roles or limits):
        raise UserError("--role and --limit say what a new key may do; they go with --create.")
    if rotate is None and overlap_hours:
        raise UserError("--overlap-hours goes with --rotate; a key that is revoked is refused at once.")
    with opened_home() as home:
        if create is not None:
            limited = _limits(limits or [])
            known = {one.name for one in home.releases.all()}
            for model in sorted(set(limited["models"]) - known):
                say(f"nothing is released as '{model}' yet.{hint(model, known)}", "warning")
            print(home.keys.create(create, roles or ["predict"], whoami(), **limited)[1])
        elif revoke is not None:
            say(f"{home.keys.revoke(revoke, whoami()).id} is revoked; servers refuse it within a second.", "good")
        elif rotate is not None:
            key, text = home.keys.rotate(rotate, whoami(), overlap_hours * HOUR_S)
            print(text)
            if key.expires_at is not None:
                say(f"ends at {moment(key.expires_at)}, as the one that it replaces; --create makes one with another.")
        else:
            _list(home.keys.all())


def _limits(said: list[str]) -> dict[str, Any]:
    """What a new key may not do.

    Raises:
        UserError: there is no such limit, or its value is no number above 0.
    """
    from burnish.store.releases import NAME

    found: dict[str, Any] = {"models": ()}
    for one in said:
        name, _, value = one.partition("=")
        if name not in LIMITS:
            raise UserError(
                f"--limit {one}: there is no limit '{name}'.{hint(name, LIMITS)} There are {listed(LIMITS)}."
            )
        if name == "model":
            if not NAME.fullmatch(value):
                raise UserError(f"--limit {one}: a model is a bare name, such as intent.")
            found["models"] = (*found["models"], value)
            continue
        try:
            number = float(value) if name == "days" else int(value)
        except ValueError:
            number = 0
        if not 0 < number < MOST:
            raise UserError(f"--limit {one}: must be a number above 0.")
        found |= {"expires_at": time.time() + number * DAY_S} if name == "days" else {name: number}
    return found


def _list(found) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001  # records; their import is heavy
    rows = []
    for key in found:
        state = (
            "revoked" if key.revoked_at else "expired" if key.expires_at and key.expires_at < time.time() else "valid"
        )
        limits = [f"{key.per_minute:,}/min"] if key.per_minute else []
        limits += [f"{key.per_day:,}/day"] if key.per_day else []
        rows.append([key.id, key.owner, ", ".join(key.roles), state, moment(key.at), moment(key.expires_at)])
        rows[-1] += [", ".join(limits), ", ".join(key.models) or "all"]
    print_table(["id", "owner", "roles", "state", "made", "expires", "limits", "models"], rows)
