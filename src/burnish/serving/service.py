"""What the server does, whatever the protocol: answers, keys, and threads that look what the store says."""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burnish.bundle.bundle import Knowledge, open_bundle
from burnish.bundle.predictor import Predictor
from burnish.core.errors import BurnishError, UserError, hint, listed
from burnish.core.settings import Settings
from burnish.flows.load import load
from burnish.flows.names import mask_of
from burnish.flows.recording import Asked, Recorder
from burnish.serving.access import Access, Caller, Fee
from burnish.serving.allowance import Allowance
from burnish.serving.background import standing_back
from burnish.serving.desk import Desk
from burnish.serving.engine import Answer, Engine
from burnish.serving.fleet import Fleet
from burnish.serving.issuer import IssuerKeys
from burnish.serving.lane import LaneClosed
from burnish.serving.log import Log
from burnish.serving.metrics import Metrics
from burnish.serving.problems import Problem, overloaded, place_of, shown
from burnish.serving.served import Served
from burnish.serving.serving import Serving
from burnish.serving.stages import Stopwatch
from burnish.serving.tokens import Tokens, Trust
from burnish.serving.tracing import Tracing
from burnish.serving.watch import Watch
from burnish.store.home import Home
from burnish.store.records import Key, Release, Traffic
from burnish.store.sqlite import sqlite_warning
from burnish.store.store import StoreUnavailable
from burnish.tasks._contract import Task

LOOK_EVERY_S = 0.25
"""How often the store is looked at: keys and versions take effect well within a second."""
MOVE_EVERY_S = 1.0
EXCHANGE_EVERY_S = 5.0
MOST_KNOWN = 16
"""Versions that are not in service of which is remembered what they know."""
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
    seen: Callable[[Any], None] | None = None
    """Is told of each batch that the request was part of, where requests are traced."""

    def asking(self, release: Release, rows: Sequence[Mapping[str, Any]], traffic: Traffic) -> Asked:
        """What it asks of a version."""
        of = release.name, release.version, self.caller.key.id
        return Asked(*of, rows, self.arrived, traffic, self.is_gone, self.seen)


@dataclass(frozen=True)
class Answered:
    """What a request gets."""

    release: Release
    items: Sequence[Mapping[str, Any]]
    n_tokens: int


class Service:
    """One server's state. `start` before the first request, `stop` after the last. What its workers share lies in
    `shared`, where there are several.
    """

    def __init__(self, home: Home, serving: Serving, own: Settings, log: Log, shared: Path | None = None) -> None:
        self.home = home
        self.limits = serving.limits
        self.log = log
        self.metrics = Metrics()
        self.journal = home.journal()
        self.desk = Desk()
        self.access = Access(home.predictions.count_of, shared)
        self.access.tokens = self._tokens(Trust.of(own))
        self.tracing = Tracing.of(os.environ)
        self.recorder = Recorder(home, mask_of(home, own), own.store_inputs)
        stopwatch = None if self.tracing is None else Stopwatch()
        self._engine = Engine(self.recorder, self.journal, self.metrics, self.limits, stopwatch)
        self.fleet = Fleet(home, serving.references(), self._load, serving.most_loaded)
        self.fleet.tell = self._tell_swap
        self.watch = Watch(home, self.metrics, lambda: self.fleet.names)
        self.fault: str | None = None
        """Why the store cannot be reached; None while it can."""
        self.is_draining = False
        self.is_alone = home.store.is_sqlite
        """Whether no server on another machine has this database, with a journal of its own."""
        self._knowledge: dict[str, Knowledge] = {}
        self._shadows: set[asyncio.Task[None]] = set()
        self._stopped = threading.Event()
        self._looking, self._telling = threading.Lock(), threading.Lock()
        self._faults: dict[str, str | None] = {}
        self._n_lost = 0
        often = ((LOOK_EVERY_S, self.refresh_keys), (LOOK_EVERY_S, self.fleet.refresh))
        looks = (*often, (MOVE_EVERY_S, self._move), (EXCHANGE_EVERY_S, self.watch.exchange))
        self._threads = [threading.Thread(target=self._repeat, args=look, daemon=True) for look in looks]

    def start(self) -> None:
        """Load everything and begin to follow the store. Without a canary or a shadow that cannot be loaded, which the
        fleet tells, production answers.

        Raises:
            UserError: a name has nothing that could answer.
        """
        self.refresh_keys()
        self.fleet.refresh()
        if silent := [fault for name, fault in self.fleet.faults.items() if name not in self.fleet.names]:
            raise UserError(*silent)
        for fault in (self.home.audit.fault(), sqlite_warning() if self.home.store.is_sqlite else None):
            if fault is not None:
                self.log.tell("warning", fault)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Answer what waits, write what is to be kept."""
        self._stopped.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self.fleet.close()
        self.desk.close()
        if self.tracing is not None:
            self.tracing.stop()
        try:
            self.journal.close()
        except StoreUnavailable as error:
            self.log.tell("warning", "predictions stay in the journal", reason=str(error))

    def refresh_keys(self) -> None:
        """Take over what the store says of keys now."""
        with self._looking:
            self.access.refresh(self.home.keys.all())

    def _tokens(self, trust: Trust | None) -> Tokens | None:
        if trust is None:
            return None
        keys = IssuerKeys(trust.issuer, lambda reason: self.log.tell("warning", reason))
        return Tokens(trust, keys, lambda one: self.home.subject_of(trust.issuer, one), self._allowance_of)

    async def _allowance_of(self, key: Key) -> Allowance | None:
        """What a new subject may ask. Where it has a day's quota, what it had today is counted in the database."""
        if key.per_day is None:
            return self.access.allowance_of(key)
        return await self.desk.do(self.access.allowance_of, key)

    async def predictor_of(self, release: Release) -> Predictor:
        return (await self._served(release)).predictor

    async def knowledge_of(self, release: Release) -> Knowledge:
        """What is known of a version without its network: it need not be in service."""
        served = self.fleet.loaded(release)
        if served is not None:
            return served.predictor.knowledge
        if release.digest not in self._knowledge:
            if len(self._knowledge) >= MOST_KNOWN:
                self._knowledge.clear()
            opened = await asyncio.to_thread(lambda: open_bundle(self.home.bundles.get(release.digest)))
            self._knowledge[release.digest] = opened.knowledge
        return self._knowledge[release.digest]

    async def answer(self, name: str, rows: Sequence[Any], call: Call) -> Answered:
        """Answers to the rows of one request.

        Raises:
            Problem: the model is not here, a row cannot be read, the key's rate or quota is used up, too much waits, or
                the deadline passed.
        """
        with Fee(call.caller) as fee:
            while True:
                release, traffic = self.fleet.chosen(name)
                served = await self._served(release)
                read, examples = read_rows(served.predictor.task, rows)
                fee.pay(len(rows))
                asked = call.asking(release, read, traffic)
                try:
                    found = await served.answer(asked, examples, call.deadline)
                except LaneClosed:  # between choosing and asking another version took over
                    continue
                except Exception:
                    self.watch.count_error(f"{name}:{release.version}")
                    raise
                self._shadow(asked, examples, found.items)
                return Answered(release, found.items, found.n_tokens)

    async def write(self, name: str, row: Any, call: Call, identity: str) -> AsyncGenerator[str | Answer]:
        """What is written for one row, piece by piece, and then the whole; the prediction gets the id that is given.

        Raises:
            Problem: as `answer`, before the first piece.
            UserError: the model writes no text, or not piece by piece.
        """
        with Fee(call.caller) as fee:
            while True:
                release, traffic = self.fleet.chosen(name)
                served = await self._served(release)
                read, [example] = read_rows(served.predictor.task, [row])
                fee.pay(1)
                asked = call.asking(release, read, traffic)
                try:
                    async with aclosing(served.write(asked, example, call.deadline, identity)) as pieces:
                        async for piece in pieces:
                            yield piece
                    return
                except LaneClosed:
                    continue
                except Exception:
                    self.watch.count_error(f"{name}:{release.version}")
                    raise

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
        served = Served(standing_back(lambda: load(folder)), self._engine)
        gauge, batch = (self.metrics.of(one, release.name) for one in (self.metrics.waiting, self.metrics.batch))

        def seen(n_items: int, n_waiting: int) -> None:
            batch.observe(n_items)
            gauge.set(n_waiting)

        served.lane.seen = seen
        self.log.tell("info", "loaded", name=release.name, version=release.version)
        return served

    def _shadow(self, asked: Asked, examples: Sequence[Any], answers: Sequence[Mapping[str, Any]]) -> None:
        """Ask the shadow what was asked, and let nobody wait for it."""
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
        except Exception as error:  # a shadow may fail in every way; nobody waits for it
            self.log.tell("error", "a shadow failed", name=release.name, version=release.version, where=place_of(error))
            return
        for mine, theirs in zip(found.items, answers, strict=True):
            agrees = _said(mine) == _said(theirs)
            self.metrics.of(self.metrics.agreement, asked.name, release.version, str(agrees).lower()).inc()

    def _repeat(self, every_s: float, look: Callable[[], None]) -> None:
        """Each look has a thread, so that a version that loads for a minute does not keep a revoked key alive."""
        while not self._stopped.wait(every_s):
            try:
                look()
                fault = None
            except StoreUnavailable as error:
                fault = str(error)
            except Exception as error:  # a server goes on answering whatever happens to its watches
                fault = f"This is a bug: {type(error).__name__} at {place_of(error)}"
            self._found(look.__name__, fault)

    def _move(self) -> None:
        """Move the journal into the database, and count what could not be kept."""
        try:
            self.journal.flush()
        finally:
            n_lost = self.journal.n_lost
            self.metrics.unrecorded.inc(n_lost - self._n_lost)
            self._n_lost = n_lost

    def _found(self, look: str, fault: str | None) -> None:
        with self._telling:
            before, self._faults[look] = self.fault, fault
            self.fault = next((one for one in self._faults.values() if one is not None), None)
            if self.fault != before:
                self.log.tell("warning" if self.fault else "info", self.fault or "the store answers again")

    def _tell_swap(self, name: str, result: str, reason: str) -> None:
        self.metrics.of(self.metrics.swaps, name, result).inc()
        self.log.tell("info" if result == "done" else "error", f"swap {result}", name=name, reason=reason)


def read_rows(task: Task, rows: Sequence[Any]) -> tuple[list[Mapping[str, Any]], list[Any]]:
    """Rows of the task's columns, and the examples that the task makes of them.

    Raises:
        Problem: a row is no text and no object of the task's columns; the first such one is named.
    """
    read: list[Mapping[str, Any]] = []
    examples = []
    allowed = {item.name for item in task.wanted} - task.gold
    needed = [item.name for item in task.wanted if item.is_required and item.name in allowed]
    for number, row in enumerate(rows):
        try:
            values = {task.texts[0]: row} if isinstance(row, str) else row
            if not isinstance(values, dict):
                raise ValueError(f"must be a text, or an object with {listed(sorted(allowed))}.")
            if not allowed.issuperset(values):
                _refuse_unknown(values, allowed)
            if task.files & set(values):
                raise ValueError("names a file, which a server does not open.")
            if lacking := [name for name in needed if values.get(name) is None]:
                raise ValueError(f"lacks '{lacking[0]}'.")
            examples.append(task.read(values, is_labelled=False))
        except (ValueError, TypeError, UserError) as error:
            raise Problem(422, f"inputs[{number}]: {error}") from None
        read.append(values)
    return read, examples


def _refuse_unknown(values: Mapping[str, Any], allowed: set[str]) -> None:
    name = shown(min(set(values) - allowed))
    raise ValueError(f"has '{name}', which is none of {listed(sorted(allowed))}.{hint(name, allowed)}")


def _said(answer: Mapping[str, Any]) -> Any:
    """What an answer says, whatever the confidence."""
    for name in ("label", "labels", "spans", "text", "score"):
        if name in answer:
            return answer[name]
    return {name: value for name, value in answer.items() if name != "prediction_id"}
