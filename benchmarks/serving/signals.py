"""Part `signals`: SIGTERM and kill -9 under load. What becomes of requests is told by the client, and by the database:
a prediction that is kept was computed, so somebody should have been answered.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field

from serving.bench import Bench, median, say, tell
from serving.client import REFUSED, Asked, Pool, clock, predictions_of
from serving.house import NAME, House, Server, house_of
from serving.load import Closed, run
from serving.processes import family
from serving.swaps import swaps

CONNECTIONS = 32
WARM_S, MOST_WAIT_S = 1.0, 1.0
GRACE_S = 45.0
NOTICE_S = 0.05
"""After a kill, within which a client may not have noticed yet that its connection is gone."""
OLD_ENOUGH_S = 2.5
"""A worker that dies sooner after its start counts as one that cannot start at all."""


@dataclass
class Drained:
    """What SIGTERMs did, of one number of workers."""

    n_trials: int = 0
    n_answered: int = 0
    n_lost_before: int = 0
    """Sent before the signal, and lost."""
    n_lost_kept: int = 0
    """Sent after it on a connection that had answered and was not said to close, and lost."""
    n_turned_away: int = 0
    """Refused, or lost on a connection that the server had not answered on before: it never took them."""
    n_computed_lost: int = 0
    """In the database, and answered to nobody."""
    n_unkept: int = 0
    """Answered, and not in the database."""
    n_wrong: int = 0
    n_late_ready: int = 0
    """Trials in which the door was shut before readiness said so."""
    codes: Counter[int] = field(default_factory=Counter)
    took_s: list[float] = field(default_factory=list)


def signals(bench: Bench) -> None:
    draw = random.Random(7)
    by_workers = {1: Drained(), 2: Drained()}
    with house_of(bench) as house:
        for trial in range(bench.sizes.trials):
            n_workers = 1 + trial % 2
            _terminate(bench, house, n_workers, draw, by_workers[n_workers])
            say(f"SIGTERM {trial + 1}: {by_workers[n_workers]}")
        _tell_drained(by_workers)
        with house.serving("--workers", "2") as server:
            run(_kill(bench, server, draw))
    swaps(bench)


def _terminate(bench: Bench, house: House, n_workers: int, draw: random.Random, drained: Drained) -> None:
    before = _ids_kept(house)
    with house.serving("--workers", str(n_workers)) as server:
        asked, statuses, told_at, code, took_s = run(_load_and_signal(bench, server, draw))
    drained.n_trials += 1
    drained.codes[code] += 1
    drained.took_s.append(took_s)
    if 503 not in statuses and statuses:
        drained.n_late_ready += 1
    answered = [one for one in asked if one.status == 200]
    drained.n_answered += len(answered)
    drained.n_wrong += sum(not bench.is_right(one) for one in answered) + sum(
        one.status not in (0, 200, 503) for one in asked
    )
    for one in asked:
        if one.status == 0:
            if one.fault != REFUSED and one.sent < told_at:
                drained.n_lost_before += 1
            elif one.fault != REFUSED and not one.is_fresh:
                drained.n_lost_kept += 1
            else:
                drained.n_turned_away += 1
    ids = {one.json()["predictions"][0]["prediction_id"] for one in answered}
    kept = _ids_kept(house) - before
    drained.n_computed_lost += len(kept - ids)
    drained.n_unkept += len(ids - kept)


def _ids_kept(house: House) -> set[str]:
    """Of all predictions in the database, which no server has open now."""
    with closing(sqlite3.connect(house.home / "burnish.db")) as database:
        return {identity for (identity,) in database.execute("SELECT id FROM predictions")}


async def _load_and_signal(
    bench: Bench, server: Server, draw: random.Random
) -> tuple[list[Asked], list[int], float, int, float]:
    """The requests, what readiness said after the signal until the door was shut, when it was sent, code, seconds."""
    pool, watch = Pool(server.port, GRACE_S), Pool(server.port, GRACE_S)
    load = Closed(pool, predictions_of(NAME, server.house.key, bench.texts), CONNECTIONS)
    await asyncio.sleep(WARM_S + draw.uniform(0, MOST_WAIT_S))
    server.process.terminate()
    told_at, statuses, is_shut = clock(), [], False
    while server.process.poll() is None and clock() - told_at < GRACE_S:
        if not is_shut:
            said = await watch.call("GET", "/health/ready")
            is_shut = said.status == 0
            statuses += [said.status] if said.status else []
        await asyncio.sleep(0.02)
    took_s = clock() - told_at
    code = server.process.poll()
    asked = await load.stop()
    await pool.close()
    await watch.close()
    return asked, statuses, told_at, -99 if code is None else code, took_s


def _tell_drained(by_workers: dict[int, Drained]) -> None:
    rows = []
    for n_workers, drained in by_workers.items():
        if not drained.n_trials:
            continue
        head = f"{n_workers} worker{'s' if n_workers > 1 else ''}, {drained.n_trials} ×"
        codes = ", ".join(f"{code}: {n}" for code, n in drained.codes.items())
        rows += [
            (f"{head}: answered requests", "", f"{drained.n_answered:,}"),
            (f"{head}: sent before the signal and lost", "0", f"{drained.n_lost_before:,}"),
            (f"{head}: lost later on a connection that was kept open", "0", f"{drained.n_lost_kept:,}"),
            (f"{head}: computed, and answered to nobody", "0", f"{drained.n_computed_lost:,}"),
            (f"{head}: answered, and not in the database", "0", f"{drained.n_unkept:,}"),
            (f"{head}: wrong answers or other statuses", "0", f"{drained.n_wrong:,}"),
            (f"{head}: turned away at the door", "", f"{drained.n_turned_away:,}"),
            (f"{head}: exit codes", "all 0", codes),
            (f"{head}: door shut before readiness said 503", "0", f"{drained.n_late_ready:,}"),
            (f"{head}: seconds until it had ended, median / most", "", _seconds(drained.took_s)),
        ]
    tell("SIGTERM under load", rows)


async def _kill(bench: Bench, server: Server, draw: random.Random) -> None:
    """kill -9 of a worker, over and over on one server under load."""
    pool = Pool(server.port, GRACE_S)
    load = Closed(pool, predictions_of(NAME, server.house.key, bench.texts), CONNECTIONS)
    kills, took_s = [], []
    for trial in range(bench.sizes.trials):
        await asyncio.sleep(OLD_ENOUGH_S + draw.uniform(0, MOST_WAIT_S))
        n_ready = len(server.ready_processes())
        os.kill(draw.choice(_living(server)), signal.SIGKILL)
        kills.append(clock())
        while len(server.ready_processes()) == n_ready and clock() - kills[-1] < GRACE_S * 2:
            await asyncio.sleep(0.05)
        took_s.append(clock() - kills[-1])
        if server.process.poll() is not None:
            say(f"the server ended by {server.process.returncode} at kill {trial + 1}")
            break
        say(f"kill -9 {trial + 1}: a new worker after {took_s[-1]:.1f} s")
    asked = await load.stop()
    await pool.close()
    _tell_killed(bench, asked, kills, took_s)


def _living(server: Server) -> list[int]:
    """Workers that live and are ready."""
    living = set(family(server.process.pid))
    return [process for process in server.ready_processes() if process in living]


def _tell_killed(bench: Bench, asked: list[Asked], kills: list[float], took_s: list[float]) -> None:
    lost = [one for one in asked if not one.status]
    by_kill = [sum(0 <= one.at - at < OLD_ENOUGH_S and one.sent < at + NOTICE_S for one in lost) for at in kills]
    n_wrong = sum(one.status == 200 and not bench.is_right(one) for one in asked)
    statuses = Counter(one.status for one in asked if one.status)
    tell(
        f"kill -9 of one of 2 workers under load, {len(kills)} ×",
        [
            ("requests by status", "", ", ".join(f"{status}: {n:,}" for status, n in sorted(statuses.items()))),
            (
                "lost with the worker, of the requests on their way",
                f"at most {CONNECTIONS} a kill",
                f"{sum(by_kill):,}; most in one kill {max(by_kill, default=0)}, median {median(by_kill or [0]):g}",
            ),
            ("lost otherwise", "0", f"{len(lost) - sum(by_kill):,}"),
            ("wrong answers", "0", f"{n_wrong:,}"),
            ("seconds until a new worker was ready, median / most", "", _seconds(took_s)),
        ],
    )


def _seconds(values: list[float]) -> str:
    return f"{median(values):.1f} / {max(values):.1f}" if values else "none"
