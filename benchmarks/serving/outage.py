"""Part `database`: PostgreSQL of its own, stopped under load and started again, then frozen. Predictions must go on;
feedback is sent again until it is acknowledged, and then must be there once.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from postgres import Cluster, binaries, temporary_folder
from serving.bench import Bench, account_of, say, tell
from serving.client import Asked, Pool, clock, predictions_of
from serving.house import NAME, Server, house_of
from serving.load import closed_loop, open_loop, quantile, run

SHARE = 0.3
"""Of the capacity, so that what is measured is not overload."""
BEFORE_S, AFTER_S, WARM_S = 5.0, 15.0, 4.0
POST_EVERY_S = 0.05
RETRY_S = 0.5
PATIENCE_S = 40.0
DATABASE = "burnish"
Move = Callable[[Cluster], None]


@dataclass
class Story:
    """What happened around one outage."""

    left_at: float = 0.0
    back_at: float = 0.0
    predicted: list[Asked] = field(default_factory=list)
    posted: dict[str, str] = field(default_factory=dict)
    """Prediction → id of the feedback as acknowledged."""
    given_up: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    """Of feedback, every try."""
    ready: list[tuple[float, str]] = field(default_factory=list)
    """When readiness said what."""


def database(bench: Bench) -> None:
    if binaries() is None:
        raise RuntimeError("there is no PostgreSQL on this machine")
    _outage(bench, "stopped", Cluster.stop, Cluster.start)
    _outage(bench, "frozen", Cluster.freeze, Cluster.thaw)


def _outage(bench: Bench, name: str, leave: Move, come_back: Move) -> None:
    """One story on a cluster and in an installation of its own."""
    folder = temporary_folder()
    cluster = Cluster(folder)
    try:
        url = cluster.create(DATABASE)
        with house_of(bench, environment={"BURNISH_DATABASE": url}) as house:
            with house.serving() as server:
                story = run(_story(bench, server, lambda: leave(cluster), lambda: come_back(cluster)))
            _tell(bench, name, story, url)
    finally:
        with suppress(RuntimeError):
            cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _story(bench: Bench, server: Server, leave: Callable[[], None], come_back: Callable[[], None]) -> Story:
    story, payloads = Story(), predictions_of(NAME, server.house.key, bench.texts)
    pool, own, watch = Pool(server.port, PATIENCE_S), Pool(server.port, PATIENCE_S), Pool(server.port, PATIENCE_S)
    warm = await closed_loop(pool, payloads, 16, WARM_S)
    rate = SHARE * len(warm) / WARM_S
    recent = [_id_of(one) for one in warm if one.status == 200][-200:]
    seconds = BEFORE_S + bench.sizes.away_s + AFTER_S
    is_over = asyncio.Event()

    def note(asked: Asked) -> None:
        if asked.status == 200:
            recent.append(_id_of(asked))

    load = asyncio.create_task(open_loop(pool, payloads, rate, seconds, then=note))
    posting = asyncio.create_task(_post(own, server.house.key, recent, story, is_over))
    watching = asyncio.create_task(_watch(watch, story, is_over))
    await asyncio.sleep(BEFORE_S)
    story.left_at = clock()
    await asyncio.to_thread(leave)
    say("the database is away")
    await asyncio.sleep(bench.sizes.away_s)
    await asyncio.to_thread(come_back)
    story.back_at = clock()
    say("the database is back")
    story.predicted = [*warm, *await load]
    is_over.set()
    await posting
    await watching
    for one in (pool, own, watch):
        await one.close()
    return story


def _id_of(asked: Asked) -> str:
    found: str = asked.json()["predictions"][0]["prediction_id"]
    return found


async def _post(pool: Pool, key: str, recent: list[str], story: Story, is_over: asyncio.Event) -> None:
    """Feedback on predictions, each in a task of its own that tries until it is acknowledged."""
    tasks, used = [], set()
    while not is_over.is_set():
        identity = recent[-1]
        if identity not in used:
            used.add(identity)
            tasks.append(asyncio.create_task(_acknowledged(pool, key, identity, story)))
        await asyncio.sleep(POST_EVERY_S)
    await asyncio.gather(*tasks)


async def _acknowledged(pool: Pool, key: str, identity: str, story: Story) -> None:
    body, until = {"prediction_id": identity, "accepted": True}, clock() + PATIENCE_S * 3
    while clock() < until:
        said = await pool.call("POST", "/v1/feedback", body, {"idempotency-key": f"again-{identity}"}, key)
        story.statuses[said.status] += 1
        if said.status == 200:
            story.posted[identity] = said.json()["feedback_id"]
            return
        await asyncio.sleep(RETRY_S)
    story.given_up += 1


async def _watch(pool: Pool, story: Story, is_over: asyncio.Event) -> None:
    while not is_over.is_set():
        said = await pool.call("GET", "/health/ready")
        word = said.json()["status"] if said.status == 200 else str(said.status)
        if not story.ready or story.ready[-1][1] != word:
            story.ready.append((clock(), word))
        await asyncio.sleep(0.1)


def _tell(bench: Bench, name: str, story: Story, url: str) -> None:
    import psycopg

    with psycopg.connect(url) as connection:
        feedback = Counter(connection.execute("SELECT id, prediction FROM feedback").fetchall())
        kept = {identity for (identity,) in connection.execute("SELECT id FROM predictions").fetchall()}
    rows_of = Counter(prediction for (_, prediction), n in feedback.items() for _ in range(n))
    account = account_of(bench, story.predicted)
    answered = {_id_of(one) for one in story.predicted if one.status == 200}
    away = [one for one in story.predicted if story.left_at <= one.due < story.back_at]
    before = [one for one in story.predicted[-len(away) :] if one.due < story.left_at] or story.predicted
    n_lost = sum((identity, prediction) not in feedback for prediction, identity in story.posted.items())
    said = {word: at for at, word in reversed(story.ready)}
    degraded_s = f"{said['degraded'] - story.left_at:.1f} s" if "degraded" in said else "never said"
    ready_at = [at for at, word in story.ready if word == "ready" and at > story.back_at]
    tell(
        f"PostgreSQL {name} for {bench.sizes.away_s:g} s under load",
        [
            ("predictions meanwhile that failed", "0", f"{sum(one.status != 200 for one in away):,} of {len(away):,}"),
            ("all predictions", "200", account.told()),
            ("their p99 meanwhile / before", "", f"{_p99(away):.0f} / {_p99(before):.0f} ms"),
            ("answered, and not in the database at the end", "0", f"{len(answered - kept):,} of {len(answered):,}"),
            ("feedback acknowledged", "", f"{len(story.posted):,}; tries {_told(story.statuses)}"),
            ("acknowledged and lost", "0", f"{n_lost:,}"),
            ("in the database twice", "0", f"{sum(n > 1 for n in rows_of.values()):,}"),
            ("never acknowledged", "0", f"{story.given_up:,}"),
            ("until readiness said degraded", "", degraded_s),
            ("from its return until readiness said ready", "≤ 5 s", _seconds(ready_at, story.back_at)),
        ],
    )


def _p99(asked: list[Asked]) -> float:
    return quantile([one.ms for one in asked if one.status == 200], 0.99)


def _told(statuses: Counter[int]) -> str:
    return ", ".join(f"{status}: {n:,}" for status, n in sorted(statuses.items()))


def _seconds(moments: list[float], since: float) -> str:
    return f"{min(moments) - since:.1f} s" if moments else "it did not"
