"""When a batch went through pre, core and post: measured only where somebody asked for traces."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from burnish.data.features import cost_of
from burnish.serving.crew import Process, Work
from burnish.tasks._contract import Feature


@dataclass(frozen=True)
class Stages:
    """One batch on the clock of `time.perf_counter`: pre from `began` on, core from `core_began`, post from
    `core_ended`.
    """

    began: float
    core_began: float
    core_ended: float
    ended: float
    n_inputs: int
    """Of every request in the batch."""
    n_tokens: int
    name: str
    version: int
    traffic: str


class _Marks(threading.local):
    """What is known of the batch in this thread."""

    began = ended = 0.0
    n_tokens = 0


class Stopwatch:
    """Tells each request of a batch when that went through its stages."""

    def __init__(self) -> None:
        self._marks = _Marks()

    @contextmanager
    def core(self, features: Iterable[Feature]) -> Iterator[None]:
        """Within, the core computes with these features."""
        marks = self._marks
        marks.began, marks.n_tokens = time.perf_counter(), sum(map(cost_of, features))
        try:
            yield
        finally:
            marks.ended = time.perf_counter()

    def around(self, process: Process) -> Process:
        """What a lane does with a batch, and then tells of it, also where it failed."""

        def timed(batch: Sequence[Work]) -> Sequence[object]:
            began = time.perf_counter()
            self._marks.began = self._marks.ended = 0.0
            try:
                return process(batch)
            finally:
                self._tell(batch, began, time.perf_counter())

        return timed

    def _tell(self, batch: Sequence[Work], began: float, ended: float) -> None:
        marks, n_inputs = self._marks, sum(len(work.items) for work in batch)
        core_began = marks.began or ended  # it did not come so far
        core_ended = marks.ended or ended
        n_tokens = marks.n_tokens if marks.began else 0
        for work in batch:
            asked = work.about.asked
            if asked.seen is not None:
                about = asked.name, asked.version, asked.traffic
                asked.seen(Stages(began, core_began, core_ended, ended, n_inputs, n_tokens, *about))
