"""The options that say in which form answers are printed, given to a command as one argument."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer

from burnish.core.errors import UserError

Form = Literal["table", "json", "pieces"]

_JSON = Annotated[bool, typer.Option("--json", help="JSON lines, on a terminal too.")]
_STREAM = Annotated[bool, typer.Option("--stream", help="Text as plain text, printed while it is written.")]


def takes_form(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options --json and --stream; it receives them as the keyword `form`.

    Raises:
        UserError: both are given.
    """

    @functools.wraps(command)
    def run(*args: Any, as_json: bool = False, stream: bool = False, **options: Any) -> None:
        if as_json and stream:
            raise UserError("--stream prints plain text while it is written, and --json whole answers; choose one.")
        form: Form = "pieces" if stream else "json" if as_json else "table"
        command(*args, form=form, **options)

    own = [one for one in inspect.signature(command, eval_str=True).parameters.values() if one.name != "form"]
    kinds = {"as_json": _JSON, "stream": _STREAM}
    asked = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for name, kind in kinds.items()
    ]
    run.__signature__ = inspect.Signature([*own, *asked])  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in [*own, *asked]}
    return run
