"""The program `burnish`: its commands, in the order in which a project needs them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

import burnish
from burnish.cli import (
    alerts,
    audit,
    backup,
    chat,
    check,
    compare,
    doctor,
    erase,
    export,
    feedback,
    fit,
    index,
    init,
    jobs,
    judge,
    keys,
    monitor,
    parts,
    predict,
    pretrain,
    promote,
    release,
    releases,
    retrain,
    rollback,
    serve,
    shrink,
    traffic,
    worker,
)
from burnish.cli.exits import guarded

EXAMPLES = "\n\n".join(
    [
        "Start here:",
        "  burnish init data.csv                     a recipe, task and columns guessed",
        "  burnish fit recipe.yaml --out runs/first  train, judge, save a bundle",
        '  burnish predict runs/first "some text"    answers with honest confidence',
    ]
)

COMMANDS: tuple[Callable[..., Any], ...] = (
    init.init,
    check.check,
    fit.fit,
    pretrain.pretrain,
    judge.judge,
    compare.compare,
    shrink.shrink,
    export.export,
    release.release,
    promote.promote,
    rollback.rollback,
    releases.releases,
    serve.serve,
    keys.keys,
    traffic.traffic,
    feedback.feedback,
    retrain.retrain,
    jobs.jobs,
    worker.worker,
    monitor.monitor,
    alerts.alerts,
    audit.audit,
    erase.erase,
    backup.backup,
    predict.predict,
    chat.chat,
    index.index,
    parts.parts,
    doctor.doctor,
)


def main(words: Sequence[str] | None = None) -> None:
    """Run one command line; `words` defaults to the process's own. Always ends by `SystemExit`."""
    said = list(sys.argv[1:] if words is None else words)
    is_debug, said = _take_debug(said)
    make_app(tuple(said), is_debug=is_debug)(args=said, prog_name="burnish")


def make_app(words: tuple[str, ...] = (), *, is_debug: bool = False) -> typer.Typer:
    """The application. `words` is what was typed, for the line that says how to go on after Ctrl-C."""
    app = typer.Typer(
        name="burnish",
        help="Fine-tune a language model on your own text, judge it honestly, and use it.",
        epilog=EXAMPLES,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_overview)
    for command in COMMANDS:
        app.command()(guarded(command, words, is_debug=is_debug))
    return app


def _overview(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback when Burnish itself fails.")] = False,
) -> None:
    if version:
        print(burnish.__version__)
    elif context.invoked_subcommand is None:
        print(context.get_help())


def _take_debug(words: list[str]) -> tuple[bool, list[str]]:
    """`--debug` may stand anywhere before `--`: one adds it to a line that has just failed."""
    end = words.index("--") if "--" in words else len(words)
    return "--debug" in words[:end], [word for word in words[:end] if word != "--debug"] + words[end:]
