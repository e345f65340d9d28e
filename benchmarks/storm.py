"""A storm of feedback and predictions by one process, which says what was acknowledged; and what of it is there later."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select, text

from burnish.core.settings import Settings
from burnish.store.corrections import Token
from burnish.store.faults import StoreUnavailable
from burnish.store.home import Home, open_home
from burnish.store.records import Feedback, Prediction
from burnish.store.tables import feedback, keys, predictions

NAME = "intent"
RESENT = 0.3
"""Share of the requests that are sent again; half of these by a twin at the same moment."""


@dataclass
class Acknowledged:
    """What a process was told is kept."""

    requests: list[str] = field(default_factory=list)
    predictions: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    @property
    def n(self) -> int:
        return len(self.requests) + len(self.predictions) + len(self.keys)

    def take(self, lines: Iterable[str]) -> None:
        heaps = {"r": self.requests, "p": self.predictions, "k": self.keys}
        for line in lines:
            heaps[line[0]].append(line[2:])

    def add(self, other: Acknowledged) -> None:
        self.requests += other.requests
        self.predictions += other.predictions
        self.keys += other.keys


def prediction(identity: str) -> Prediction:
    return Prediction(
        identity, time.time(), NAME, 1, "k1", {"text": "退款 please"}, "d", {"label": "refund"}, "refund", 0.9
    )


def send(home: Home, request: str, attempt: str) -> str:
    """One request to correct an answer; each attempt has an id of its own, and one of them may count."""
    said = Feedback(f"{request}-{attempt}", time.time(), request, NAME, 1, "k1", "label", "投诉")
    return home.corrections.add([said], Token("k1", request, "body"), said.id)


def send_until_done(home: Home, request: str) -> float:
    """The same, again and again while the database is away; returns the longest that one attempt took, in seconds."""
    longest = 0.0
    for attempt in range(10_000):
        started = time.monotonic()
        try:
            send(home, request, str(attempt))
        except StoreUnavailable:
            longest = max(longest, time.monotonic() - started)
            time.sleep(0.2)
        else:
            return max(longest, time.monotonic() - started)
    raise RuntimeError(f"{request} was never taken")


def storm(settings: Settings, seed: int, tell: Callable[[str], None]) -> None:
    """Until somebody ends the process: feedback by two threads, predictions by one, keys by one; the journal is moved."""
    home = open_home(settings)
    journal = home.journal()
    draw = random.Random(seed)

    def correct(thread: int) -> None:
        for number in range(10**9):
            request = f"r{seed}-{thread}-{number}"
            is_again, is_twin = draw.random() < RESENT, draw.random() < 0.5
            twin = threading.Thread(target=send, args=(home, request, "twin")) if is_again and is_twin else None
            if twin:
                twin.start()
            answer = send(home, request, "first")
            tell(f"r {request}")
            if twin:
                twin.join()
            elif is_again and send(home, request, "again") != answer:
                tell("r answers differ")

    def predict() -> None:
        for number in range(10**9):
            identity = f"p{seed}-{number}"
            journal.add([prediction(identity)])
            tell(f"p {identity}")
            time.sleep(0.0005)

    def manage() -> None:
        while True:
            tell(f"k {home.keys.create('a', ['predict'], 'ann')[0].id}")
            time.sleep(0.01)

    def move() -> None:
        while True:
            journal.flush()
            time.sleep(0.02)

    for work, arguments in ((correct, (0,)), (correct, (1,)), (predict, ()), (manage, ()), (move, ())):
        threading.Thread(target=work, args=arguments, daemon=True).start()
    tell("begun")
    threading.Event().wait()


def killed_storm(settings: Settings, seed: int, after_s: float) -> Acknowledged:
    """Run a storm in a process of its own and kill -9 it so long after it has begun."""
    reader, writer = os.pipe()
    child = os.fork()  # all is imported already, and no database is open here
    if child == 0:
        os.close(reader)
        try:
            storm(settings, seed, lambda line: void(os.write(writer, f"{line}\n".encode())))
        finally:
            os._exit(1)
    os.close(writer)
    with open(reader, encoding="utf-8") as pipe:
        assert pipe.readline() == "begun\n", "the storm did not begin"
        timer = threading.Timer(after_s, os.kill, (child, signal.SIGKILL))
        timer.start()
        lines = pipe.read().split("\n")[:-1]
        timer.join()
    os.waitpid(child, 0)
    told = Acknowledged()
    told.take(lines)
    return told


def void(value: object) -> None:
    """Nothing; a lambda of whom nothing is wanted."""


@dataclass
class Found:
    """What is wrong with a store, counted."""

    missing: int = 0
    doubled: int = 0
    faults: int = 0

    def __add__(self, other: Found) -> Found:
        return Found(self.missing + other.missing, self.doubled + other.doubled, self.faults + other.faults)


def looked_into(home: Home, told: Acknowledged) -> Found:
    """Acknowledged rows that are missing, requests that count twice, and faults of the database or the audit log."""
    with closing(home.journal()) as journal:
        journal.flush(of_others=True)
        faults = journal.n_lost
    with home.store.reading() as connection:
        per_request = Counter(
            dict(connection.execute(select(feedback.c.prediction, func.count()).group_by("prediction")).all())
        )
        there = {row.id for row in connection.execute(select(predictions.c.id))}
        known = {row.id for row in connection.execute(select(keys.c.id))}
        n_rows = connection.execute(select(func.count()).select_from(predictions)).scalar_one()
        if home.store.is_sqlite:
            faults += connection.execute(text("PRAGMA integrity_check")).scalar() != "ok"
    faults += home.audit.fault() is not None
    missing = sum(per_request[one] == 0 for one in told.requests)
    missing += len(set(told.predictions) - there) + len(set(told.keys) - known)
    doubled = sum(count > 1 for count in per_request.values()) + n_rows - len(there)
    return Found(missing, doubled, faults)


def settings_of(folder: Path, database: str) -> Settings:
    return Settings(home=str(folder), database=database)


def quiet(action: Callable[[], object]) -> None:
    """Do something that may find the database away."""
    with suppress(StoreUnavailable):
        action()
