"""Is what was acknowledged there afterwards? kill -9 amid a storm, a database that stops or freezes, backups, tampering.

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
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.postgres import Cluster, binaries, temporary_folder
from benchmarks.storm import (
    Acknowledged,
    Found,
    killed_storm,
    looked_into,
    prediction,
    quiet,
    send,
    send_until_done,
    settings_of,
)
from burnish.core.settings import Settings
from burnish.store.backup import back_up, check_backup
from burnish.store.home import Home, open_home
from burnish.store.locks import WAIT_S
from burnish.store.patience import PING_S, SPARE_S
from burnish.store.postgres import CONNECT_S
from tests.store.tampering import WAYS, n_found

BOUND_S = WAIT_S + PING_S + CONNECT_S + WAIT_S + SPARE_S + WAIT_S + SPARE_S
"""The longest that a transaction on a frozen server can take: waiting for a connection, finding it dead, making another,
and two statements that are given up (the second is the rollback)."""
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
        rows += kills(settings_of(folder / "killed", ""), "SQLite", asked)
        rows += tampering(settings_of(folder / "tampered", ""), asked)
        rows += backups(folder, asked)
        if binaries() is None:
            print("no PostgreSQL here: its rows are left out", file=sys.stderr)
        else:
            with cluster() as server:
                rows += kills(settings_of(folder / "pg", server.create("killed")), "PostgreSQL", asked)
                rows += away(server, folder, "stopped", asked)
                rows += away(server, folder, "frozen", asked)
    print("\n| what | how often | measured | reach |\n|---|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def told(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def kills(settings: Settings, database: str, asked: argparse.Namespace) -> list[Row]:
    draw = random.Random(asked.seed)
    everything, found = Acknowledged(), Found()
    open_home(settings).close()
    for trial in range(asked.kills):
        acknowledged = killed_storm(settings, trial, draw.uniform(0.0, 0.4))
        with closing(open_home(settings)) as home:
            found += looked_into(home, acknowledged)
        everything.add(acknowledged)
        if trial % 50 == 49:
            told(f"{database}: {trial + 1} kills, {everything.n:,} acknowledged, {found}")
    with closing(open_home(settings)) as home:
        found += looked_into(home, everything)
    counts = f"{len(everything.requests):,} corrections, {len(everything.predictions):,} predictions, {len(everything.keys):,} keys"
    return [
        (
            f"kill -9 during a storm of feedback, {database}",
            f"{asked.kills} kills; {counts}",
            f"{found.missing} missing, {found.doubled} doubled, {found.faults} faults of database, journal or audit log",
            "0 missing, 0 doubled",
        )
    ]


def tampering(settings: Settings, asked: argparse.Namespace) -> list[Row]:
    with closing(open_home(settings)) as home:
        appended = []
        for number in range(300):
            with home.store.writing() as connection:
                started = time.perf_counter()
                home.audit.add(connection, "user ann", "promote", f"intent:{number}", {"before": number, "why": "更好"})
                appended.append((time.perf_counter() - started) * 1000)
        with home.store.writing() as connection:
            connection.exec_driver_sql("DELETE FROM audit WHERE number > 30")
            connection.exec_driver_sql("DELETE FROM states WHERE name = 'audit head'")
            connection.exec_driver_sql("DELETE FROM audit")
            for number in range(30):
                home.audit.add(connection, "user ann", "promote", f"intent:{number}", {"before": number, "why": "更好"})
        assert home.audit.fault() is None
        started = time.monotonic()
        found = n_found(home.store, home.audit, asked.trials, random.Random(asked.seed))
        told(f"tampering: {found} of {asked.trials} in {time.monotonic() - started:.0f} s")
    p99 = statistics.quantiles(appended, n=100)[98]
    return [
        ("audit log tampered with", f"{asked.trials} trials, {len(WAYS)} ways", f"{found} found", "all found"),
        ("a line of the audit log", "300 lines", f"p99 {p99:.2f} ms (without its commit)", "p99 ≤ 1 ms"),
    ]


def backups(folder: Path, asked: argparse.Namespace) -> list[Row]:
    """Copies while two threads write: all that was acknowledged before a copy began is in it, and it is sound."""
    acknowledged, is_over = Acknowledged(), threading.Event()
    good = 0
    with closing(open_home(settings_of(folder / "backed up", ""))) as home, closing(home.journal()) as journal:

        def correct() -> None:
            while not is_over.is_set():
                request = f"r{len(acknowledged.requests)}"
                send(home, request, "first")
                acknowledged.requests.append(request)

        def predict() -> None:
            while not is_over.is_set():
                identity = f"p{len(acknowledged.predictions)}"
                journal.add([prediction(identity)])
                acknowledged.predictions.append(identity)
                time.sleep(0.001)

        with running(correct, predict, ends=is_over):
            for number in range(asked.backups):
                before = Acknowledged(list(acknowledged.requests), list(acknowledged.predictions))
                copy = back_up(home, folder / f"backup {number}")
                check_backup(copy)
                with closing(open_home(settings_of(copy, ""))) as restored:
                    good += looked_into(restored, before) == Found()
                shutil.rmtree(copy)
    told(f"backups: {good} of {asked.backups}")
    return [
        (
            "backup under writes, restored and compared",
            f"{asked.backups} backups, {acknowledged.n:,} rows",
            f"{good} whole, each with all that was acknowledged before it began",
            "all whole",
        )
    ]


def away(server: Cluster, folder: Path, how: str, asked: argparse.Namespace) -> list[Row]:
    """Predictions and corrections go on while the database is stopped (as by a crash) or frozen."""
    settings = settings_of(folder / f"pg {how}", server.create(how))
    is_over = threading.Event()
    acknowledged, longest, slowest_add = Acknowledged(), [0.0], [0.0]
    with closing(open_home(settings)) as home, closing(home.journal()) as journal:

        def correct(thread: int) -> Callable[[], None]:
            def go_on() -> None:
                number = 0
                while not is_over.is_set():
                    request = f"r{thread}-{number}"
                    longest[0] = max(longest[0], send_until_done(home, request))
                    acknowledged.requests.append(request)
                    number += 1

            return go_on

        def predict() -> None:
            while not is_over.is_set():
                identity = f"p{len(acknowledged.predictions)}"
                started = time.monotonic()
                journal.add([prediction(identity)])
                slowest_add[0] = max(slowest_add[0], time.monotonic() - started)
                acknowledged.predictions.append(identity)
                time.sleep(0.002)

        def move() -> None:
            while not is_over.is_set():
                quiet(journal.flush)
                time.sleep(0.2)

        with running(*(correct(thread) for thread in range(3)), predict, move, ends=is_over):
            time.sleep(2)
            (server.stop if how == "stopped" else server.freeze)()
            time.sleep(asked.stop_s)
            (server.start if how == "stopped" else server.thaw)()
            back_s = first_answer(home)
            time.sleep(3)
        journal.flush()
        found = looked_into(home, acknowledged)
        n_lost = journal.n_lost
    told(f"{how}: {acknowledged.n:,} acknowledged, {found}, longest call {longest[0]:.1f} s")
    counts = f"{len(acknowledged.requests):,} corrections, {len(acknowledged.predictions):,} predictions"
    took = f"answers {back_s:.1f} s after it is back; slowest journal line {slowest_add[0] * 1000:.0f} ms"
    rows = [
        (
            f"PostgreSQL {how} for {asked.stop_s:.0f} s while requests go on",
            f"once; {counts}",
            f"{found.missing + n_lost} lost, {found.doubled} doubled, {found.faults} faults; {took}",
            "0 lost, 0 doubled; ≤ 5 s",
        )
    ]
    if how == "frozen":
        rows.append(
            ("longest call on the frozen server", "", f"{longest[0]:.1f} s", f"≤ {BOUND_S:.0f} s (the timeouts)")
        )
    return rows


def first_answer(home: Home) -> float:
    """Seconds until the database answers again."""
    started = time.monotonic()
    answers: list[int] = []
    while not answers:
        quiet(lambda: answers.append(len(home.keys.all()) + 1))
    return time.monotonic() - started


@contextmanager
def running(*works: Callable[[], None], ends: threading.Event) -> Iterator[None]:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ends.set()
        for thread in threads:
            thread.join()


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
