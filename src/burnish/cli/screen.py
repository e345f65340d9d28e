"""What a person sees while a verb works: a bar on a terminal, a line now and then elsewhere. All of it on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from burnish.cli.say import is_terminal
from burnish.cli.stages import LONG_S, Lines, Stage, duration
from burnish.core.events import Event, Listener, Message, Progress

if TYPE_CHECKING:
    from rich.progress import TaskID


@contextmanager
def watching(stream: TextIO | None = None) -> Iterator[Listener]:
    """Show what a verb tells the listener that this gives."""
    stream = stream or sys.stderr
    if not is_terminal(stream):
        yield Lines(stream)
        return
    bars = Bars(stream)
    try:
        yield bars
    finally:
        bars.close()


class Bars:
    """A bar for the stage at work. When the next begins it goes, and a line stays if the stage took long."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn
        from rich.progress import Progress as Display

        console = Console(file=stream, highlight=False)
        words = [TextColumn("{task.description}", markup=False), TextColumn("{task.fields[tail]}", markup=False)]
        columns: list[Any] = [SpinnerColumn(), words[0], BarColumn(30), words[1]]
        self.display = Display(*columns, console=console, transient=True)
        self.stream = stream
        self.clock = clock
        self.stage: Stage | None = None
        self.bar: TaskID | None = None
        self.last: Progress | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, Message):
            self._say(event.text, event.level)
            return
        now = self.clock()
        if self.stage is None or self.stage.name != event.stage:
            self._finish(now)
            self.stage = Stage(event, now)
            self.display.start()
            self.bar = self.display.add_task(event.stage, total=event.total, tail="")
        assert self.bar is not None
        tail = self.stage.tail(event, now)
        self.display.update(self.bar, completed=event.done, total=event.total, tail=tail)
        self.last = event

    def close(self) -> None:
        """Take the bar away. Whatever is said afterwards stands below what stays."""
        self._finish(self.clock())
        self.display.stop()

    def _finish(self, now: float) -> None:
        if self.stage is None or self.last is None or self.bar is None:
            return
        self.display.remove_task(self.bar)
        seconds = now - self.stage.began
        if seconds >= LONG_S:
            self._say(f"{self.stage.name}  {self.last.done:,} {self.last.unit} in {duration(seconds)}", "info")
        self.stage = self.bar = self.last = None

    def _say(self, text: str, level: str) -> None:
        from rich.text import Text

        styles = {"warning": "yellow", "good": "green", "error": "red"}
        told = f"warning: {text}" if level == "warning" else text
        self.display.console.print(Text(told, style=styles.get(level, "")), soft_wrap=True)
