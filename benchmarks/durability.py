"""Is what was acknowledged there afterwards? kill -9 in a storm, a database that stops or freezes, backups, tampering.

    python -m benchmarks.durability --kills 200

Run from the root of the repository. The rows about PostgreSQL need its binaries (initdb, pg_ctl); the cluster that is
started is durable (fsync on). Prints one table in Markdown.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.postgres import Cluster, binaries, temporary_folder
from benchmarks.storm import (
    CORRECTED,
    Acknowledged,
    Found,
    killed_storm,
    looked_into,
    prediction,
    send_until_done,
    settings_of,
)
from tests.store.tampering import WAYS, n_found

from burnish.core.settings import Settings
from burnish.store.backup import back_up, check_backup
from burnish.store.faults import StoreUnavailable
from burnish.store.home import Home, open_home
from burnish.store.locks import WAIT_S
from burnish.store.patience import PING_S, SPARE_S
from burnish.store.postgres import CONNECT_S

BOUND_S = WAIT_S + PING_S + CONNECT_S + WAIT_S + SPARE_S
"""The longest that a transaction on a frozen server can take: for a connection to become free, to find that it is dead,
to make another, and a statement that is given up."""
Row = tuple[str, str, str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="on each database")
    parser.add_argument("--trials", type=int, default=1000, help="of tampering")
    parser.add_argument("--backups", type=int, default=20)
    parser.add_argument("--stop-s", type=float, default=30.0, help="how long the database is stopped, and then frozen")
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows += kills(settings_of(folder / "killed"), "SQLite", asked)
        rows += appending(settings_of(folder / "appended"))
        rows += tampering(settings_of(folder / "tampered"), asked)
        rows += backups(folder, asked)
        if binaries() is None:
            tell("no PostgreSQL here: its rows are left out")
        else:
            with cluster() as server:
                rows += kills(settings_of(folder / "pg", server.create("killed")), "PostgreSQL", asked)
                rows += away(server, folder, "stopped", asked)
                rows += away(server, folder, "frozen", asked)
    print("\n| what | how often | measured | reach |\n|---|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def tell(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def kills(settings: Settings, database: str, asked: argparse.Namespace) -> list[Row]:
    """Each time the store is opened again and searched for what was acknowledged; in the end for all of it."""
    draw = random.Random(asked.seed)
    everything, found = Acknowledged(), Found()
    for trial in range(asked.kills):
        told = killed_storm(settings, trial, draw.uniform(0.0, 0.4))
        with closing(open_home(settings)) as home:
            found += looked_into(home, told)
        for heap, more in zip(vars(everything).values(), vars(told).values(), strict=True):
            heap += more
        if trial % 50 == 49:
            tell(f"{database}: {trial + 1} kills, {everything}, {found}")
    with closing(open_home(settings)) as home:
        found += looked_into(home, everything)
    what = f"kill -9 during a storm of feedback, {database}"
    return [(what, f"{asked.kills} kills; {everything}", f"{found}", "0 missing, 0 doubled")]


def appending(settings: Settings) -> list[Row]:
    took_ms = []
    with closing(open_home(settings)) as home:
        for number in range(500):
            with home.store.writing() as connection:
                started = time.perf_counter()
                home.audit.add(connection, "user ann", "promote", f"intent:{number}", {"before": number, "why": "更好"})
                took_ms.append((time.perf_counter() - started) * 1000)
    middle, p99 = statistics.median(took_ms), statistics.quantiles(took_ms, n=100)[98]
    return [("a line of the audit log", "500 lines", f"p50 {middle:.2f} ms, p99 {p99:.2f} ms", "p99 ≤ 1 ms")]


def tampering(settings: Settings, asked: argparse.Namespace) -> list[Row]:
    with closing(open_home(settings)) as home:
        for number in range(20):
            home.keys.create(f"{number}", ["predict"], "user 安")
        found = n_found(home.store, home.audit, asked.trials, random.Random(asked.seed))
        assert home.audit.fault() is None, "it was not put back"
    tell(f"tampering: {found} of {asked.trials}")
    return [("audit log tampered with", f"{asked.trials} trials in {len(WAYS)} ways", f"{found} found", "all found")]


@dataclass
class Traffic:
    """Corrections and predictions of one process, which can be ended."""

    home: Home
    is_over: threading.Event = field(default_factory=threading.Event)
    told: Acknowledged = field(default_factory=Acknowledged)
    longest_s: float = 0.0
    slowest_line_s: float = 0.0

    def __post_init__(self) -> None:
        self.journal = self.home.journal()
        self.home.predictions.add([prediction(CORRECTED)])

    def correct(self, thread: int) -> None:
        number = 0
        while not self.is_over.is_set():
            request = f"r{thread}-{number}"
            self.longest_s = max(self.longest_s, send_until_done(self.home, request))
            self.told.requests.append(request)
            number += 1

    def predict(self) -> None:
        while not self.is_over.is_set():
            identity = f"p{len(self.told.predictions)}"
            started = time.monotonic()
            self.journal.add([prediction(identity)])
            self.slowest_line_s = max(self.slowest_line_s, time.monotonic() - started)
            self.told.predictions.append(identity)
            time.sleep(0.002)

    def move(self) -> None:
        while not self.is_over.is_set():
            with suppress(StoreUnavailable):
                self.journal.flush()
            time.sleep(0.2)

    @contextmanager
    def flowing(self) -> Iterator[None]:
        works: tuple[Callable[[], None], ...] = (
            lambda: self.correct(0),
            lambda: self.correct(1),
            self.predict,
            self.move,
        )
        threads = [threading.Thread(target=work) for work in works]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.is_over.set()
            for thread in threads:
                thread.join()
            self.journal.close()


def backups(folder: Path, asked: argparse.Namespace) -> list[Row]:
    """Copies amid traffic: all that was acknowledged before one began is in it, and it is sound."""
    n_good = 0
    with closing(open_home(settings_of(folder / "backed up"))) as home:
        traffic = Traffic(home)
        with traffic.flowing():
            for number in range(asked.backups):
                before = Acknowledged(list(traffic.told.requests), list(traffic.told.predictions))
                copy = back_up(home, folder / f"backup {number}")
                check_backup(copy)
                with closing(open_home(settings_of(copy))) as restored:
                    n_good += looked_into(restored, before) == Found()
                shutil.rmtree(copy)
    tell(f"backups: {n_good} of {asked.backups}")
    measured = f"{n_good} sound, with all that was acknowledged before they began"
    return [("backup amid traffic, restored", f"{asked.backups} backups; {traffic.told}", measured, "all")]


def away(server: Cluster, folder: Path, how: str, asked: argparse.Namespace) -> list[Row]:
    """Predictions and corrections go on while the database is stopped (as by a crash) or frozen."""
    with closing(open_home(settings_of(folder / f"pg {how}", server.create(how)))) as home:
        traffic = Traffic(home)
        with traffic.flowing():
            time.sleep(2)
            (server.stop if how == "stopped" else server.freeze)()
            time.sleep(asked.stop_s)
            (server.start if how == "stopped" else server.thaw)()
            back_s = first_answer(home)
            time.sleep(3)
        found = looked_into(home, traffic.told) + Found(missing=traffic.journal.n_lost)
    tell(f"{how}: {traffic.told}, {found}, longest call {traffic.longest_s:.1f} s")
    what = f"PostgreSQL {how} for {asked.stop_s:.0f} s amid traffic"
    took = (
        f"answers {back_s:.1f} s after it is back; slowest line of the journal {traffic.slowest_line_s * 1000:.0f} ms"
    )
    rows = [(what, f"once; {traffic.told}", f"{found}; {took}", "0 lost, 0 doubled; back in 5 s")]
    if how == "frozen":
        rows.append((f"longest call, PostgreSQL {how}", "", f"{traffic.longest_s:.1f} s", f"≤ {BOUND_S:.0f} s"))
    return rows


def first_answer(home: Home) -> float:
    """Seconds until the database answers again."""
    started = time.monotonic()
    while True:
        with suppress(StoreUnavailable):
            home.keys.all()
            return time.monotonic() - started


@contextmanager
def cluster() -> Iterator[Cluster]:
    folder = temporary_folder()
    server = Cluster(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
