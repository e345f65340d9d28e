"""The options that say how a retraining goes; each is a field of `Retraining`, which is not loaded for `--help`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from burnish.core.errors import UserError

_OPTIONS: dict[str, tuple[Any, Any]] = {
    "least": (Annotated[int, typer.Option("--least", min=1, help="Fewest inputs with new corrections.")], 20),
    "epochs": (Annotated[int, typer.Option("--epochs", min=1, help="Passes over old rows and corrections.")], 3),
    "start_share": (
        Annotated[
            float,
            typer.Option("--start-share", min=0, max=0.99, help="Share of production's weights in the result."),
        ],
        0.5,
    ),
    "anchor": (
        Annotated[str, typer.Option("--anchor", help="Against forgetting besides: none, l2sp, ewc, replay.")],
        "none",
    ),
    "promote_if_better": (
        Annotated[
            bool,
            typer.Option("--promote-if-better", help="Make it production when it passes and scores higher."),
        ],
        False,
    ),
    "canary": (
        Annotated[
            float,
            typer.Option("--canary", min=0, max=99, help="Percent of the requests that it answers first, on trial."),
        ],
        0.0,
    ),
}
"""Field → type with help, default."""


def takes_retraining(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these options; it receives what was said as its first argument."""

    @functools.wraps(command)
    def run(**given: Any) -> None:
        said = {name: given.pop(name) for name in _OPTIONS}
        if said["canary"] and said["promote_if_better"]:
            raise UserError("--canary promotes it by what comes of it; leave out --promote-if-better.")
        command(said, **given)

    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    further = [
        inspect.Parameter(name, kind, default=default, annotation=annotation)
        for name, (annotation, default) in _OPTIONS.items()
    ]
    run.__signature__ = inspect.Signature([*own, *further])  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in (*own, *further)}
    return run
