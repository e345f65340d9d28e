"""A storm of feedback and predictions by one process, which tells what was acknowledged; and what is there later."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
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
CORRECTED = "p"
"""The answer that all corrections are about; which request one was of stands in its comment."""
RESENT = 0.3
"""Share of the requests that are sent again; half of these by a twin at the same moment."""


@dataclass
class Acknowledged:
    """What a process was told is kept."""

    requests: list[str] = field(default_factory=list)
    predictions: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.requests) + len(self.predictions) + len(self.keys)

    def __str__(self) -> str:
        told = f"{len(self.requests):,} corrections, {len(self.predictions):,} predictions"
        return f"{told}, {len(self.keys):,} keys" if self.keys else told

    def take(self, lines: Iterable[str]) -> None:
        heaps = {"r": self.requests, "p": self.predictions, "k": self.keys}
        for line in lines:
            heaps[line[0]].append(line[2:])


def prediction(identity: str) -> Prediction:
    asked, answer = {"text": "退款 please"}, {"label": "refund"}
    return Prediction(identity, time.time(), NAME, 1, "k1", asked, "d", answer, "refund", 0.9)


def send(home: Home, request: str, attempt: str) -> str:
    """One request to correct an answer; each attempt has an id of its own, and one of them may count."""
    said = Feedback(f"{request}-{attempt}", time.time(), CORRECTED, NAME, 1, "k1", "label", "投诉", comment=request)
    return home.corrections.add([said], Token("k1", request, "body"), said.id)


def send_until_done(home: Home, request: str) -> float:
    """The same, again and again while the database is away; returns the longest that one attempt took, in seconds."""
    longest, attempt = 0.0, 0
    while True:
        started, is_done = time.monotonic(), True
        try:
            send(home, request, str(attempt))
        except StoreUnavailable:
            is_done = False
        longest = max(longest, time.monotonic() - started)
        if is_done:
            return longest
        attempt += 1
        time.sleep(0.2)


@dataclass
class Storm:
    """Two threads that send feedback, one that writes predictions and one that moves them, one that makes keys."""

    home: Home
    seed: int
    tell: Callable[[str], None]

    def __post_init__(self) -> None:
        self.journal = self.home.journal()
        self.home.predictions.add([prediction(CORRECTED)])

    def rage(self) -> None:
        """Until somebody ends the process."""
        self.tell("begun")
        for work in (lambda: self.correct(0), lambda: self.correct(1), self.predict, self.manage, self.move):
            threading.Thread(target=work, daemon=True).start()
        threading.Event().wait()

    def correct(self, thread: int) -> None:
        draw, number = random.Random(f"{self.seed} {thread}"), 0
        while True:
            request = f"r{self.seed}-{thread}-{number}"
            is_again, is_twin = draw.random() < RESENT, draw.random() < 0.5
            twin = threading.Thread(target=send, args=(self.home, request, "twin"))
            if is_again and is_twin:
                twin.start()
            answer = send(self.home, request, "first")
            self.tell(f"r {request}")
            if is_again and is_twin:
                twin.join()
            elif is_again and send(self.home, request, "again") != answer:
                self.tell("r that got two answers")  # which nothing is found for
            number += 1

    def predict(self) -> None:
        number = 0
        while True:
            identity = f"p{self.seed}-{number}"
            self.journal.add([prediction(identity)])
            self.tell(f"p {identity}")
            number += 1
            time.sleep(0.0005)

    def manage(self) -> None:
        while True:
            self.tell(f"k {self.home.keys.create('a', ['predict'], 'ann')[0].id}")
            time.sleep(0.01)

    def move(self) -> None:
        while True:
            self.journal.flush()
            time.sleep(0.02)


def killed_storm(settings: Settings, seed: int, after_s: float) -> Acknowledged:
    """Let a storm rage in a process of its own and kill -9 it so long after it has begun."""
    reader, writer = os.pipe()
    child = os.fork()  # all is imported already, and no database is open here
    if child == 0:
        os.close(reader)
        try:
            Storm(open_home(settings), seed, lambda line: _write(writer, line)).rage()
        finally:
            os._exit(1)
    os.close(writer)
    with open(reader, encoding="utf-8") as pipe:
        assert pipe.readline() == "begun\n", "the storm did not begin"
        timer = threading.Timer(after_s, os.kill, (child, signal.SIGKILL))
        timer.start()
        lines = pipe.read().split("\n")[:-1]
        timer.join()
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1]), "the storm ended by itself"
    told = Acknowledged()
    told.take(lines)
    return told


def _write(descriptor: int, line: str) -> None:
    os.write(descriptor, f"{line}\n".encode())


@dataclass
class Found:
    """What is wrong with a store, counted."""

    missing: int = 0
    doubled: int = 0
    faults: int = 0
    """Of the database, the audit log, or a line of the journal."""

    def __add__(self, other: Found) -> Found:
        return Found(self.missing + other.missing, self.doubled + other.doubled, self.faults + other.faults)

    def __str__(self) -> str:
        return f"{self.missing} missing, {self.doubled} doubled, {self.faults} faults"


def looked_into(home: Home, told: Acknowledged) -> Found:
    """Acknowledged rows that are missing, requests that count twice, and faults."""
    with closing(home.journal()) as journal:
        journal.flush(of_others=True)
        faults = journal.n_lost
    with home.store.reading() as connection:
        counted = connection.execute(select(feedback.c.comment, func.count()).group_by(feedback.c.comment))
        per_request = Counter(dict(counted.tuples().all()))
        answered = connection.execute(select(predictions.c.id)).scalars().all()
        known = set(connection.execute(select(keys.c.id)).scalars())
        if home.store.is_sqlite:
            faults += connection.execute(text("PRAGMA integrity_check")).scalar() != "ok"
    faults += home.audit.fault() is not None
    missing = sum(per_request[one] == 0 for one in told.requests)
    missing += len(set(told.predictions) - set(answered)) + len(set(told.keys) - known)
    doubled = sum(count > 1 for count in per_request.values()) + len(answered) - len(set(answered))
    return Found(missing, doubled, faults)


def settings_of(folder: Path, database: str = "") -> Settings:
    return Settings(home=str(folder), database=database)
