"""Part `overload`: an open loop at 2 and 5 times the capacity. What is refused must be refused well, what is accepted
be answered, and when it is over everything be as before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from serving.bench import Account, Bench, account_of, say, tell
from serving.client import Asked, Pool, clock, predictions_of
from serving.house import NAME, Server, house_of
from serving.load import closed_loop, open_loop, quantile, run
from serving.processes import own_cpu_s

FACTORS = (2.0, 5.0)
EASY = 0.7
"""Share of the capacity that is asked before and after."""
WARM_S, EASY_S, AFTER_S, BACK_S = 3.0, 10.0, 6.0, 2.0
CONNECTIONS = (64, 160)
"""Of the closed loops that measure the capacity before; the better one is measured after too."""
KEPT_OPEN = 1500
"""Connections that are open when the overload begins, as a gateway has them; more are made where these do not do."""


@dataclass(frozen=True)
class Storm:
    """One overload, and what came after."""

    capacities: tuple[float, float]
    """Before it and after."""
    account: Account
    goodput_per_s: float
    accepted_ms: float
    refused_ms: float
    lag_ms: float
    """p99 of how late the generator itself sent."""
    before_mb: float
    most_mb: float
    before_ms: float
    back_ms: float
    """p99 from `BACK_S` after it ended on, as `before_ms`."""
    after_ms: tuple[float, ...]
    """p99 of each half second after it ended."""
    n_wrong_after: int
    client_share: float
    """Of one core, that the generator took."""


def overload(bench: Bench) -> None:
    """Each factor on the same server. The machine's own speed drifts, so what it can answer is measured before and
    after, and the mean of both counts.
    """
    with house_of(bench) as house, house.serving() as server:
        for factor in FACTORS:
            storm = run(_storm(bench, server, factor))
            say(f"{factor:g} x {storm.capacities[0]:.0f}/s: {storm.account.told()}")
            _tell(factor, storm)


async def _storm(bench: Bench, server: Server, factor: float) -> Storm:
    payloads, seconds = predictions_of(NAME, server.house.key, bench.texts), bench.sizes.seconds
    easy_s = min(EASY_S, seconds)
    pool = Pool(server.port)
    await closed_loop(pool, payloads, CONNECTIONS[-1], WARM_S)
    found = {n: await _capacity(bench, pool, payloads, n, easy_s) for n in CONNECTIONS}
    best = max(CONNECTIONS, key=found.__getitem__)
    capacity = found[best]
    before = await open_loop(pool, payloads, EASY * capacity, easy_s)
    await pool.open(KEPT_OPEN)
    before_mb, own_s = server.usage().rss_mb, own_cpu_s()
    watching = asyncio.create_task(_most_mb(server, seconds + AFTER_S))
    storm = asyncio.create_task(open_loop(pool, payloads, factor * capacity, seconds))
    await asyncio.sleep(seconds)
    own_s, ended = own_cpu_s() - own_s, clock()
    calm = Pool(server.port)
    after = await open_loop(calm, payloads, EASY * capacity, AFTER_S)
    asked, most_mb = await storm, await watching
    capacity_after = await _capacity(bench, calm, payloads, best, easy_s)
    await pool.close()
    await calm.close()
    account = account_of(bench, asked)
    later = [one for one in after if one.due > ended + BACK_S]
    settled = account_of(bench, later)
    in_time = [one for one in asked if one.status == 200 and one.at <= ended]
    return Storm(
        capacities=(capacity, capacity_after),
        account=account,
        goodput_per_s=len(in_time) / seconds,
        accepted_ms=_p99(one for one in asked if one.status == 200),
        refused_ms=_p99(one for one in asked if one.status == 503),
        lag_ms=quantile([(one.sent - one.due) * 1000 for one in asked if one.sent], 0.99),
        before_mb=before_mb,
        most_mb=most_mb,
        before_ms=_p99(one for one in before if one.status == 200),
        back_ms=_p99(one for one in later if one.status == 200),
        after_ms=_by_half_second(after, ended),
        n_wrong_after=settled.n_asked - settled.n_good,
        client_share=own_s / seconds,
    )


async def _capacity(bench: Bench, pool: Pool, payloads: Sequence[bytes], n_connections: int, seconds: float) -> float:
    """Right answers a second in a closed loop."""
    started = clock()
    found = await closed_loop(pool, payloads, n_connections, seconds)
    return account_of(bench, found).n_good / (clock() - started)


async def _most_mb(server: Server, seconds: float) -> float:
    most, until = 0.0, clock() + seconds
    while clock() < until:
        most = max(most, server.usage().rss_mb)
        await asyncio.sleep(1.0)
    return most


def _p99(asked) -> float:
    return quantile([one.ms for one in asked], 0.99)


def _by_half_second(asked: Sequence[Asked], start: float) -> tuple[float, ...]:
    windows: list[list[float]] = [[] for _ in range(int(AFTER_S * 2))]
    for one in asked:
        windows[min(len(windows) - 1, int((one.due - start) * 2))].append(one.ms)
    return tuple(quantile(window, 0.99) for window in windows)


def _tell(factor: float, storm: Storm) -> None:
    account, (capacity, capacity_after) = storm.account, storm.capacities
    mean = (capacity + capacity_after) / 2
    others = sum(n for status, n in account.statuses.items() if status not in (200, 503))
    grown = storm.most_mb / storm.before_mb - 1
    after = ", ".join(f"{ms:.0f}" for ms in storm.after_ms)
    tell(
        f"Overload, {factor:g} × the capacity of {capacity:,.0f} requests/s",
        [
            ("what became of them", "", account.told()),
            ("unanswered", "0", f"{account.n_unanswered:,}"),
            ("statuses other than 200 and 503", "0", f"{others:,}"),
            ("503 without integer Retry-After or problem+json", "0", f"{account.n_bad_refusals:,}"),
            ("wrong answers", "0", f"{account.n_wrong:,}"),
            ("capacity before and after", "", f"{capacity:,.0f}/s, {capacity_after:,.0f}/s"),
            ("goodput", "≥ 90 % of their mean", f"{storm.goodput_per_s:,.0f}/s, {storm.goodput_per_s / mean:.0%}"),
            (
                "p99 of accepted ones",
                "≤ 2 × that before",
                f"{storm.accepted_ms:.0f} ms; {storm.before_ms:.0f} ms before",
            ),
            ("p99 of refusals", "≤ 50 ms", f"{storm.refused_ms:.0f} ms"),
            ("resident memory", "+10 % at most", f"{storm.before_mb:.0f} to {storm.most_mb:.0f} MB, {grown:+.1%}"),
            (
                f"p99 at {EASY:.0%} of capacity after {BACK_S:g} s",
                f"back to {storm.before_ms:.0f} ms",
                f"{storm.back_ms:.0f} ms (each half second from its end on: {after})",
            ),
            (f"without a right answer from {BACK_S:g} s after it on", "0", f"{storm.n_wrong_after:,}"),
            ("the generator", "", f"p99 {storm.lag_ms:.0f} ms late, {storm.client_share:.0%} of a core"),
        ],
    )
