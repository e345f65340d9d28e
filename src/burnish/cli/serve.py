"""`burnish serve`: released models over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from burnish.cli.say import say
from burnish.core.errors import UserError

if TYPE_CHECKING:
    from burnish.serving.server import Serving


def serve(
    models: Annotated[
        list[str], typer.Argument(help="intent (its production, followed), intent@candidate, or intent:7.")
    ],
    host: Annotated[
        str, typer.Option("--host", help="Address; by default only this machine is answered.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", min=0, max=65_535, help="Port; 0 takes a free one.")] = 8080,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes; each holds every model.")] = 1,
    most_loaded: Annotated[int, typer.Option("--most-loaded", min=0, help="Models in memory at once; 0: all.")] = 0,
    limits: Annotated[
        list[str] | None, typer.Option("--limit", help="A bound, e.g. inputs=100, timeout_s=5; see the docs.")
    ] = None,
) -> None:
    """Serve released models over HTTP, and follow what is promoted. The first start prints an admin key, once."""
    from burnish.serving.server import Serving
    from burnish.serving.server import serve as run

    asked = Serving(
        models=models, host=host, port=port, workers=workers, most_loaded=most_loaded, limits=_limits(limits or [])
    )
    _tell_first_key(asked)
    run(asked)


def _tell_first_key(asked: Serving) -> None:
    """An installation without keys could not be used: its first one is shown here and never again, and only when there
    is something to serve.
    """
    from burnish.store.home import opened_home, whoami

    with opened_home() as home:
        if home.keys.all():
            return
        for one in asked.references():
            home.releases.find(one)
        _, text = home.keys.create("admin", ["admin"], whoami())
    say(
        "This is the admin key. It is shown once; keep it safe. Make others for daily use: burnish keys --help",
        "warning",
    )
    print(text, flush=True)


def _limits(said: list[str]):  # type: ignore[no-untyped-def]  # noqa: ANN202  # its type would load what --help needs not
    from pydantic import ValidationError

    from burnish.core.errors import hint, listed
    from burnish.serving.limits import Limits

    values, known = {}, Limits.model_fields
    for one in said:
        name, is_set, value = one.partition("=")
        if name not in known:
            raise UserError(f"--limit {one}: there is no limit '{name}'.{hint(name, known)} There are {listed(known)}.")
        if not is_set:
            raise UserError(
                f"--limit {one}: has no number; write it behind an =, such as {name}={known[name].default}."
            )
        values[name] = value
    try:
        return Limits.model_validate(values)
    except ValidationError as error:
        fault = error.errors()[0]
        raise UserError(f"--limit {fault['loc'][0]}={fault['input']}: {fault['msg'].lower()}.") from None
