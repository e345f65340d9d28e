"""What the server does, whatever the protocol: answers, keys, and a thread that looks what the store says."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from burnish.bundle.predictor import Predictor
from burnish.bundle.proof import proof_in
from burnish.core.errors import BurnishError, UserError, listed
from burnish.core.settings import Settings
from burnish.data.masking import Mask
from burnish.flows.load import load
from burnish.flows.recording import Asked, Recorder
from burnish.serving.access import Access, Caller
from burnish.serving.fleet import Fleet
from burnish.serving.lane import LaneClosed
from burnish.serving.limits import Limits
from burnish.serving.log import Log
from burnish.serving.metrics import Metrics
from burnish.serving.problems import Problem, overloaded
from burnish.serving.served import Served
from burnish.store.home import Home
from burnish.store.records import Release
from burnish.store.releases import Reference
from burnish.store.store import StoreUnavailable
from burnish.tasks._contract import Task

LOOK_EVERY_S = 0.25
"""How often the store is looked at: keys and versions take effect well within a second."""
MOVE_EVERY_S = 1.0
MOST_SHADOWS = 256
"""Requests that wait to be shadowed at once; beyond that a shadow misses some."""


@dataclass(frozen=True)
class Call:
    """A request on its way: who asks, until when on the clock of `time.monotonic`, and when it came on that of
    `time.perf_counter`.
    """

    caller: Caller
    deadline: float
    arrived: float
    is_gone: Callable[[], bool] = bool


@dataclass(frozen=True)
class Answered:
    """What a request gets."""

    release: Release
    items: Sequence[Mapping[str, Any]]


class Service:
    """One server's state. `start` before the first request, `stop` after the last."""

    def __init__(
        self, home: Home, asked: Sequence[Reference], own: Settings, limits: Limits, log: Log, most_loaded: int = 0
    ) -> None:
        self.home = home
        self.limits = limits
        self.log = log
        self.metrics = Metrics()
        self.journal = home.journal()
        self.access = Access(home.predictions.count_of)
        self.recorder = Recorder(home, Mask.of(), own.store_inputs)
        self.fleet = Fleet(home, asked, self._load, most_loaded)
        self.fleet.tell = self._tell_swap
        self.fault: str | None = None
        """Why the store cannot be reached; None while it can."""
        self.is_draining = False
        self._shadows: set[asyncio.Task[None]] = set()
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._look, self._move)]

    def start(self) -> None:
        """Load everything and begin to follow the store.

        Raises:
            UserError: nothing that was asked for can be served.
        """
        self.refresh()
        if self.fleet.faults:
            raise UserError(*self.fleet.faults.values())
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Answer what waits, write what is to be kept."""
        self._stopped.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self.fleet.close()
        try:
            self.journal.close()
        except StoreUnavailable as error:
            self.log.tell("warning", "predictions stay in the journal", reason=str(error))

    def refresh(self) -> None:
        """Look what the store says now."""
        self.access.refresh(self.home.keys.all())
        self.fleet.refresh()

    def task_of(self, release: Release) -> Task:
        return self.fleet.served(release).predictor.task

    async def predictor_of(self, release: Release) -> Predictor:
        return (await self._served(release)).predictor

    async def answer(self, name: str, rows: Sequence[Any], call: Call) -> Answered:
        """Answers to the rows of one request.

        Raises:
            Problem: the model is not here, a row cannot be read, too much waits, or the deadline passed.
        """
        while True:
            release, traffic = self.fleet.chosen(name)
            served = await self._served(release)
            read, examples = read_rows(served.predictor.task, rows)
            asked = Asked(name, release.version, call.caller.key.id, read, call.arrived, traffic, call.is_gone)
            try:
                found = await served.answer(asked, examples, call.deadline)
            except LaneClosed:  # between choosing and asking another version took over
                continue
            self._shadow(asked, examples, found.items)
            return Answered(release, found.items)

    async def stream(self, name: str, row: Any, caller: Caller) -> AsyncIterator[str]:
        """What is written for one row, piece by piece.

        Raises:
            Problem: the model is not here or writes no text, or the row cannot be read.
        """
        release, _ = self.fleet.chosen(name)
        served = await self._served(release)
        [row], _ = read_rows(served.predictor.task, [row])
        try:
            pieces = served.predictor.stream(row)
        except UserError as error:
            raise Problem(400, str(error)) from None
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece

    async def _served(self, release: Release) -> Served:
        found = self.fleet.loaded(release)
        if found is not None:
            return found
        try:
            return await asyncio.to_thread(self.fleet.served, release)
        except BurnishError as error:
            self.log.tell("error", "a model cannot be loaded", name=release.name, reason=str(error))
            raise overloaded(f"the model '{release.name}' cannot be loaded now.", 10) from None

    def _load(self, release: Release) -> Served:
        folder = self.home.bundles.get(release.digest)
        predictor = load(folder)
        assert proof_in(folder) is None or predictor is not None, "`load` has asked the proof"
        served = Served(predictor, self.recorder, self.journal, self.metrics, self.limits)
        gauge, batch = (self.metrics.of(one, release.name) for one in (self.metrics.waiting, self.metrics.batch))

        def seen(n_items: int, n_waiting: int) -> None:
            batch.observe(n_items)
            gauge.set(n_waiting)

        served.lane.seen = seen
        self.log.tell("info", "loaded", name=release.name, version=release.version)
        return served

    def _shadow(self, asked: Asked, examples: Sequence[Any], answers: Sequence[Mapping[str, Any]]) -> None:
        """Ask the shadow what was asked, and let nobody wait for it."""
        import random

        routing = self.fleet.routing(asked.name)
        if routing.shadow is None or random.random() * 100 >= routing.traffic.shadow_percent:  # noqa: S311  # no secret
            return
        if len(self._shadows) < MOST_SHADOWS:
            task = asyncio.get_running_loop().create_task(self._ask_shadow(routing.shadow, asked, examples, answers))
            self._shadows.add(task)
            task.add_done_callback(self._shadows.discard)

    async def _ask_shadow(
        self, release: Release, asked: Asked, examples: Sequence[Any], answers: Sequence[Mapping[str, Any]]
    ) -> None:
        own = Asked(asked.name, release.version, asked.key, asked.rows, time.perf_counter(), "shadow")
        try:
            served = await self._served(release)
            found = await served.answer(own, examples, time.monotonic() + self.limits.timeout_s)
        except (Problem, LaneClosed):
            return
        for mine, theirs in zip(found.items, answers, strict=True):
            agrees = _said(mine) == _said(theirs)
            self.metrics.of(self.metrics.agreement, asked.name, release.version, str(agrees).lower()).inc()

    def _look(self) -> None:
        while not self._stopped.wait(LOOK_EVERY_S):
            try:
                self.refresh()
                self._found(None)
            except StoreUnavailable as error:
                self._found(str(error))
            except Exception as error:  # a server goes on answering whatever happens to its watch
                self._found(f"{type(error).__name__}: {error}")

    def _move(self) -> None:
        while not self._stopped.wait(MOVE_EVERY_S):
            try:
                self.journal.flush()
            except StoreUnavailable:
                continue
            except Exception as error:
                self.log.tell("error", "the journal cannot be moved", reason=f"{type(error).__name__}: {error}")

    def _found(self, fault: str | None) -> None:
        if fault != self.fault:
            self.log.tell("warning" if fault else "info", fault or "the store answers again")
        self.fault = fault

    def _tell_swap(self, name: str, result: str) -> None:
        self.metrics.of(self.metrics.swaps, name, result).inc()
        self.log.tell("info" if result == "done" else "error", f"swap {result}", name=name)


def read_rows(task: Task, rows: Sequence[Any]) -> tuple[list[Mapping[str, Any]], list[Any]]:
    """Rows of the task's columns, and the examples that the task makes of them.

    Raises:
        Problem: a row is no text and no object of the task's columns; the first such one is named.
    """
    read: list[Mapping[str, Any]] = []
    examples = []
    allowed = {item.name for item in task.wanted} - task.gold
    for number, row in enumerate(rows):
        try:
            values = {task.texts[0]: row} if isinstance(row, str) else row
            if not isinstance(values, dict):
                raise ValueError(f"must be a text, or an object with {listed(sorted(allowed))}.")
            if unknown := sorted(set(values) - allowed):
                raise ValueError(f"has '{unknown[0]}', which is none of {listed(sorted(allowed))}.")
            if task.files & set(values):
                raise ValueError("names a file, which a server does not open.")
            examples.append(task.read(values, is_labelled=False))
        except (ValueError, TypeError) as error:
            raise Problem(422, f"inputs[{number}]: {error}") from None
        read.append(values)
    return read, examples


def _said(answer: Mapping[str, Any]) -> Any:
    """What an answer says, whatever the confidence."""
    for name in ("label", "labels", "spans", "text", "score"):
        if name in answer:
            return answer[name]
    return {name: value for name, value in answer.items() if name != "prediction_id"}
