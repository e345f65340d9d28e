"""What a person sees while a verb works: a bar on a terminal, a line now and then elsewhere. All of it on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from burnish.cli.say import is_terminal
from burnish.cli.stages import LONG_S, Lines, Stage, duration, fitting
from burnish.core.events import Event, Listener, Message, Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Display

BAR_CELLS = 20
NAME_CELLS = 30
GAPS = 4  # the spinner, and a space after each of spinner, name and bar


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

        self.console = Console(file=stream, highlight=False)
        self.clock = clock
        self.stage: Stage | None = None
        self.display: Display | None = None
        self.last: Progress | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, Message):
            if event.level == "good":  # the work is done: nothing is drawn below the sentence that says so
                self.close()
            self._say(event.text, event.level)
            return
        now = self.clock()
        if self.stage is None or self.stage.name != event.stage:
            self.close()
            self.stage = Stage(event, now)
        self.last = event
        self._draw(event, self.stage.words(event, now))

    def close(self) -> None:
        """Take the bar away. Whatever is said afterwards stands below what stays."""
        if self.display is not None:
            self.display.stop()
        if self.stage is not None and self.last is not None:
            seconds = self.clock() - self.stage.began
            if seconds >= LONG_S:
                self._say(f"{self.stage.name}  {self.last.done:,} {self.last.unit} in {duration(seconds)}", "info")
        self.stage = self.display = self.last = None

    def _draw(self, event: Progress, words: list[str]) -> None:
        """The bar keeps its width: a name too long is cut in the middle, and the last words give way."""
        from rich.cells import cell_len

        name = shortened(event.stage, NAME_CELLS)
        tail = fitting(words, self.console.width - GAPS - cell_len(name) - BAR_CELLS)
        if self.display is None:
            self.display = _display(self.console)
            self.display.add_task(name, total=event.total, completed=event.done, tail=tail)
            self.display.start()
        self.display.update(self.display.task_ids[0], completed=event.done, total=event.total, tail=tail)

    def _say(self, text: str, level: str) -> None:
        from rich.text import Text

        styles = {"warning": "yellow", "good": "green", "error": "red"}
        told = f"warning: {text}" if level == "warning" else text
        self.console.print(Text(told, style=styles.get(level, "")), soft_wrap=True)


def _display(console: Console) -> Display:
    """A display of one bar. Each stage has its own: one that is started again would wipe the line above it."""
    from rich.progress import BarColumn, SpinnerColumn, TextColumn
    from rich.progress import Progress as Display

    name, tail = TextColumn("{task.description}", markup=False), TextColumn("{task.fields[tail]}", markup=False)
    columns: list[Any] = [SpinnerColumn(), name, BarColumn(BAR_CELLS), tail]
    return Display(*columns, console=console, transient=True)


def shortened(name: str, most_cells: int) -> str:
    """`read data/…/train.csv`: a name whose middle gave way, as paths tell most at both ends."""
    from rich.cells import cell_len, chop_cells

    if cell_len(name) <= most_cells:
        return name
    half = (most_cells - 1) // 2
    return f"{chop_cells(name, half)[0]}…{chop_cells(name[::-1], half)[0][::-1]}"
