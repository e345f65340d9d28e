"""The words and options that say what to do: shared by every command that takes a recipe."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from burnish.core.errors import UserError

OPTIONS = {
    "task": "What to learn, e.g. classification; `burnish parts tasks` lists all.",
    "base": "Pretrained model to start from: a name, a folder, or hub:ID.",
    "train": "File with the training rows.",
    "dev": "File or share (10%) that chooses the best epoch.",
    "test": "File or share that is only judged.",
    "text_column": "Column that holds the text.",
    "label_column": "Column that holds the label.",
    "epochs": "Passes over the training rows.",
    "seed": "Start of every random choice.",
}
"""Keyword of the Python verb → its help. Everything else is said as key=value."""

_WORDS = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RECIPE.yaml|KEY=VALUE",
        help="A recipe, and settings to change in it, such as train.epochs=3.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Asked:
    """What was asked for: the arguments of a verb that takes a recipe."""

    recipe: str | None = None
    overrides: Sequence[str] = ()
    fields: dict[str, str] = field(default_factory=dict)


def takes_recipe(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the words and options of a recipe; it receives them as its first argument, an `Asked`."""

    @functools.wraps(command)
    def run(words: list[str] | None = None, **options: Any) -> None:
        fields = {name: options.pop(name) for name in OPTIONS}
        recipe, overrides = told_apart(words or [])
        given = {name: value for name, value in fields.items() if value is not None}
        if recipe is None and not overrides and not given and not options.get("text"):
            raise UserError(_nothing_to_do(learns_from_text="text" in options))
        command(Asked(recipe, overrides, given), **options)

    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    first = inspect.Parameter("words", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=_WORDS)
    run.__signature__ = inspect.Signature([first, *own, *map(_option, OPTIONS)])  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in [first, *own, *map(_option, OPTIONS)]}
    return run


def told_apart(words: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    """The recipe's path and the overrides among the words of a command line.

    Raises:
        UserError: there are two words that are no overrides.
    """
    from burnish.recipe.arguments import is_override

    overrides = tuple(word for word in words if is_override(word))
    paths = [word for word in words if not is_override(word)]
    if len(paths) > 1:
        raise UserError(
            f"one recipe is wanted; got '{paths[0]}' and '{paths[1]}'. Settings are written key=value, without spaces."
        )
    return (paths[0] if paths else None), overrides


def _nothing_to_do(*, learns_from_text: bool) -> str:
    if learns_from_text:
        return "there is nothing to do: give a recipe, or plain text, e.g. --text handbook.txt --base minilm."
    return (
        "there is nothing to do: give a recipe (`burnish init data.csv` writes one), "
        "or --task and --train, e.g. --task classification --train train.csv."
    )


def _option(name: str) -> inspect.Parameter:
    flag = f"--{name.replace('_', '-')}"
    shown = typer.Option(flag, help=OPTIONS[name], show_default=False, rich_help_panel="Without a recipe, or over it")
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, shown]
    )
