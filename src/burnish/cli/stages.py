"""Rate and time left of a stage, and how they are told where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TextIO

from burnish.cli.say import say
from burnish.core.events import Event, Message, Progress

LONG_S = 2.0
"""Stages shorter than this leave no line behind."""
LINE_EVERY_S = 5.0


class Stage:
    """Rate and time left of one stage, counted from where it began: a resumed stage does not begin at 0."""

    def __init__(self, first: Progress, now: float) -> None:
        self.name = first.stage
        self.first_done = first.done
        self.began = now

    def rate(self, event: Progress, now: float) -> float:
        """Units a second; 0 while nothing is known."""
        seconds = now - self.began
        return (event.done - self.first_done) / seconds if seconds > 0 else 0.0

    def words(self, event: Progress, now: float) -> list[str]:
        """`540/1,200 steps`, `38.2 steps/s`, `17 s left`, `loss 0.52`: what matters most comes first."""
        total = "" if event.total is None else f"/{event.total:,}"
        words = [f"{event.done:,}{total} {event.unit}"]
        rate = self.rate(event, now)
        if rate > 0:
            words.append(f"{rate:,.1f} {event.unit}/s" if rate < 100 else f"{rate:,.0f} {event.unit}/s")
        if rate > 0 and event.total is not None and event.total > event.done:
            words.append(f"{duration((event.total - event.done) / rate)} left")
        words.extend(f"{name} {number}" for name, number in event.numbers.items())
        return words


def fitting(words: Iterable[str], most_cells: int) -> str:
    """As many of the first words as `most_cells` of a terminal hold, two spaces between them."""
    text = ""
    for word in words:
        longer = f"{text}  {word}" if text else word
        if len(longer) > most_cells:
            break
        text = longer
    return text


class Lines:
    """Plain lines: one every 5 seconds, or every tenth of a stage that takes longer than that."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream = stream
        self.clock = clock
        self.stage: Stage | None = None
        self.told_at = 0.0
        self.told_tenth = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, Message):
            say(event.text, event.level, self.stream)
            return
        now = self.clock()
        if self.stage is None or self.stage.name != event.stage:
            self.stage = Stage(event, now)
            self.told_at, self.told_tenth = now, _tenth(event)
            return
        is_done = event.done == event.total
        is_due = now - self.told_at >= LINE_EVERY_S or (_tenth(event) > self.told_tenth and self._is_long(now))
        if is_due or (is_done and self._is_long(now)):
            self._tell(event, now)

    def _is_long(self, now: float) -> bool:
        return self.stage is not None and now - self.stage.began >= LONG_S

    def _tell(self, event: Progress, now: float) -> None:
        assert self.stage is not None
        share = f"  {100 * event.done // event.total} %" if event.total else ""
        say(f"{event.stage}{share}  {'  '.join(self.stage.words(event, now))}", stream=self.stream)
        self.told_at, self.told_tenth = now, _tenth(event)


def duration(seconds: float) -> str:
    """`42 s`, `3 min 05 s`, `2 h 07 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def _tenth(event: Progress) -> int:
    return 10 * event.done // event.total if event.total else 0
