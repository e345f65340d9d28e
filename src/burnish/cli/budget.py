"""The options that say what a shrunk model must keep to, given to a command as one argument."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from burnish.core.errors import Faults

Limits = dict[str, Any]

OPTIONS = {
    "max_drop": (
        Annotated[float, typer.Option("--max-drop", help="Points that may be lost on dev, at 95 % confidence.")],
        0.5,
    ),
    "target_ms": (Annotated[float | None, typer.Option("--target-ms", help="Most ms for one text.")], None),
    "target_mb": (Annotated[float | None, typer.Option("--target-mb", help="Most MB of the model.")], None),
    "keep": (
        Annotated[list[str] | None, typer.Option("--keep", help="Least F1 of a label: 'refund>=0.9'; repeatable.")],
        None,
    ),
}


def takes_budget(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command --max-drop, --target-ms, --target-mb and --keep; it receives them as the keyword `limits`.

    Raises:
        UserError: a `--keep` cannot be read.
    """

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        limits = {name: options.pop(name, default) for name, (_, default) in OPTIONS.items()}
        command(*args, limits={**limits, "keep": _least(limits["keep"] or ())}, **options)

    own = [one for one in inspect.signature(command, eval_str=True).parameters.values() if one.name != "limits"]
    asked = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in OPTIONS.items()
    ]
    run.__signature__ = inspect.Signature([*own, *asked])  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in [*own, *asked]}
    return run


def _least(keep: Sequence[str]) -> dict[str, float]:
    found, faults = {}, Faults()
    for text in keep:
        label, sign, number = text.partition(">=")
        try:
            found[label.strip()] = float(number if sign else "")
        except ValueError:
            faults.add(f"--keep '{text}': must read like 'refund>=0.9', a label and the least F1 of it.")
    faults.raise_if_any()
    return found
