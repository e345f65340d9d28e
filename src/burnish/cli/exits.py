"""How a command ends: 0 done, 1 our own bug, 2 the user's fault, 3 a gate missed, 4 a sick run, 130 Ctrl-C."""

from __future__ import annotations

import functools
import os
import shlex
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from burnish.cli.say import say
from burnish.core.errors import BurnishError

BUG, INTERRUPTED = 1, 130
RESUMABLE = ("fit",)


def guarded(command: Callable[..., None], words: tuple[str, ...], *, is_debug: bool) -> Callable[..., None]:
    """`command`, with every way it can fail turned into one sentence on stderr and an exit code."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
        except typer.Exit:
            raise
        except BurnishError as error:
            say(f"{error}", "error")
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            say(how_to_go_on(command.__name__, words), "warning")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            _leave_the_pipe()
        except Exception as error:
            say(bug(error, is_debug=is_debug), "error")
            raise typer.Exit(BUG) from None

    return run


def how_to_go_on(name: str, words: tuple[str, ...]) -> str:
    """What to type after Ctrl-C."""
    line = shlex.join(["burnish", *words])
    if name not in RESUMABLE:
        return f"Stopped; nothing half-written is left. Start again with: {line}"
    return f"Stopped. Go on where it stopped with: {line if '--resume' in words else f'{line} --resume'}"


def bug(error: Exception, *, is_debug: bool) -> str:
    """A sentence for a fault of ours. The traceback is shown with `--debug`, otherwise kept in a file."""
    trace = "".join(traceback.format_exception(error))
    what = f"This is a bug. Burnish stopped with {type(error).__name__}: {error}."
    if is_debug:
        return f"{trace}{what}"
    descriptor, name = tempfile.mkstemp(prefix="burnish-bug-", suffix=".txt")
    os.close(descriptor)
    Path(name).write_text(trace, "utf-8")
    return f"{what} Please report it with {name}, which holds the traceback (--debug shows it here)."


def _leave_the_pipe() -> None:
    """Whoever read our output has enough (`… | head`): no fault. What is buffered goes nowhere, without a complaint."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
