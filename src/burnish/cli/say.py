"""One message to a person, on stderr: stdout belongs to results."""

from __future__ import annotations

import os
import sys
from typing import TextIO

_COLOURS = {"error": "31", "warning": "33", "good": "32"}


def say(text: str, level: str = "info", stream: TextIO | None = None) -> None:
    """Print one message, coloured on a terminal unless NO_COLOR is set."""
    stream = stream or sys.stderr
    colour = _COLOURS.get(level) if has_colour(stream) else None
    told = f"warning: {text}" if level == "warning" else text
    print(f"\x1b[{colour}m{told}\x1b[0m" if colour else told, file=stream, flush=True)


def is_terminal(stream: TextIO) -> bool:
    """Whether lines can be redrawn there."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def has_colour(stream: TextIO) -> bool:
    """Whether colour is wanted and understood there (https://no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")
