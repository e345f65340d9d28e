"""Part `mixups`: very many requests at once. Each asks one to three texts that no other asks together, so that its
answer can be told from that of any other; and what is kept under its ids must be its own texts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import orjson

from serving.bench import Bench, tell
from serving.client import Asked, Pool, predictions_of
from serving.house import NAME, House, Server, house_of
from serving.load import Closed, quantile, run

PATIENCE_S = 400.0
LIMITS = ("waiting=100000", f"timeout_s={PATIENCE_S:g}", "header_s=200")
ROUNDS = (64, None)
"""Connections: some, so that batches are as in service, then one for each request."""


def mixups(bench: Bench) -> None:
    """Once on 64 connections, once all at the same moment."""
    asking = list(_askings(bench, bench.sizes.concurrent))
    rows = [("pairs of single texts whose answers tell one from the other", "", f"{bench.tellable():.1%}")]
    options = [word for limit in LIMITS for word in ("--limit", limit)]
    with house_of(bench) as house:
        for n_connections in ROUNDS:
            with house.serving(*options) as server:
                asked = run(_ask(bench, server, asking, n_connections or len(asking)))
            rows += _rows(bench, house, asking, asked)
    tell(f"{len(asking):,} distinct requests at once", rows)


def _askings(bench: Bench, n_requests: int) -> Iterator[tuple[int, ...]]:
    """Distinct tuples of one to three texts, by their numbers."""
    n = len(bench.texts)
    for i in range(n_requests):
        turn = i // n
        several = (i % n, (i * 7 + turn * 31 + 11) % n, (i * 13 + turn * 17 + 5) % n)
        yield several[: 1 + i % 3 if i < n else 2 + i % 2]


async def _ask(bench: Bench, server: Server, asking: list[tuple[int, ...]], n_connections: int) -> list[Asked]:
    inputs = [[bench.texts[at] for at in several] for several in asking]
    pool = Pool(server.port, PATIENCE_S)
    found = await Closed(pool, predictions_of(NAME, server.house.key, inputs), n_connections, len(inputs)).ended()
    await pool.close()
    return found


def _rows(bench: Bench, house: House, asking: list[tuple[int, ...]], asked: list[Asked]) -> list[tuple[str, str, str]]:
    most = _most_at_once(asked)
    answered = [one for one in asked if one.status == 200]
    swapped = sum(not _is_right(bench, one, asking[one.number]) for one in answered)
    n_kept, n_foreign = _kept(bench, house, asking, answered)
    head = f"{most:,} at once"
    statuses = {status: sum(one.status == status for one in asked) for status in sorted({one.status for one in asked})}
    ms = quantile([one.ms for one in asked], 0.99)
    return [
        (
            f"{head}: statuses, p99",
            "all 200",
            ", ".join(f"{k}: {v:,}" for k, v in statuses.items()) + f"; {ms:,.0f} ms",
        ),
        (f"{head}: swapped answers", "0", f"{swapped:,}"),
        (f"{head}: records of another request's text", "0", f"{n_foreign:,} of {n_kept:,}"),
    ]


def _is_right(bench: Bench, asked: Asked, several: tuple[int, ...]) -> bool:
    found = asked.json()["predictions"]
    return len(found) == len(several) and all(map(bench.fits, found, several))


def _kept(bench: Bench, house: House, asking: list[tuple[int, ...]], answered: list[Asked]) -> tuple[int, int]:
    """Records of these answers in the database, and those that hold another text than was asked."""
    from burnish.data.masking import Mask

    mask = Mask.of()
    with closing(sqlite3.connect(house.home / "burnish.db")) as database:
        kept = dict(database.execute("SELECT id, input FROM predictions"))
    n_kept = n_foreign = 0
    for one in answered:
        for item, at in zip(one.json()["predictions"], asking[one.number], strict=True):
            record = kept.get(item["prediction_id"])
            n_kept += record is not None
            n_foreign += record is not None and orjson.loads(record) != mask.values({"text": bench.texts[at]})[0]
    return n_kept, n_foreign


def _most_at_once(asked: list[Asked]) -> int:
    """Requests that were sent and not yet answered, at the fullest moment."""
    moments = sorted([(one.sent, 1) for one in asked] + [(one.at, -1) for one in asked])
    most = now = 0
    for _, step in moments:
        now += step
        most = max(most, now)
    return most
