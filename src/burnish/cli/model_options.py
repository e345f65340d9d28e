"""The word and options that say which model answers: a bundle, or a base and what it is to do as it is."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from burnish.core.errors import UserError

_PANEL = "For a base as it is"
_OPTIONS = {
    "model": Annotated[str, typer.Argument(help="The bundle's folder; or a base, by name, folder or hub:ID.")],
    "task": Annotated[str | None, typer.Option("--task", help="What it should do, untrained.", rich_help_panel=_PANEL)],
    "labels": Annotated[
        str | None,
        typer.Option("--labels", help="Its labels: a,b,c or {a: what it means, b: …}.", rich_help_panel=_PANEL),
    ],
    "settings": Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="As in a recipe, such as task.corpus=faq.csv; may be given several times.",
            rich_help_panel=_PANEL,
        ),
    ],
}
"""Keyword → type and help; all but the first are left out for a bundle."""


@dataclass(frozen=True)
class AskedModel:
    """A model, and what `burnish.load` is told beside it; nothing for a bundle."""

    model: str
    told: dict[str, Any] = field(default_factory=dict)


def takes_model(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the word and options of a model; it receives them as its first argument, an `AskedModel`."""

    @functools.wraps(command)
    def run(**given: Any) -> None:
        model, task, labels, settings = (given.pop(name, None) for name in _OPTIONS)
        command(AskedModel(model, _told(task, labels, settings or [])), **given)

    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    model, *others = (_parameter(name) for name in _OPTIONS)
    together = [model, *own, *others]
    run.__signature__ = inspect.Signature(together)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in together}
    return run


def _parameter(name: str) -> inspect.Parameter:
    default = inspect.Parameter.empty if name == "model" else None
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=_OPTIONS[name])


def _told(task: str | None, labels: str | None, settings: list[str]) -> dict[str, Any]:
    overrides = [*([f"task.labels={_listed(labels)}"] if labels is not None else []), *settings]
    if overrides and task is None:
        raise UserError("--labels and --set tell a base how to do its --task; name that too, or leave them out.")
    return {} if task is None else {"task": task, "overrides": overrides}


def _listed(labels: str) -> str:
    """`a,b` as the list `[a,b]`; a list or a mapping as it is."""
    return labels if labels.lstrip()[:1] in ("[", "{") else f"[{labels}]"
