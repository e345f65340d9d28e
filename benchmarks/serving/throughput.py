"""Part `http`: what HTTP costs. In-process answers and requests take turns; the median of the rounds counts."""

from __future__ import annotations

from dataclasses import dataclass

from serving.bench import Account, Bench, InProcess, account_of, median, say, tell
from serving.client import Asked, Pool, predictions_of
from serving.house import NAME, Server, house_of
from serving.load import closed_loop, quantile, run
from serving.processes import own_cpu_s

WARM_S = 3.0
CONNECTIONS = 64


@dataclass(frozen=True)
class Round:
    """One load in a closed loop."""

    per_s: float
    account: Account
    server_ms: float
    """CPU of the server for a request."""
    client_ms: float
    ms: tuple[float, float]
    """Median and p99."""


def http(bench: Bench) -> None:
    """Requests a second against texts a second in-process, and the time of one request alone."""
    inside, through, alone, memory = [], [], [], []
    for number in range(bench.sizes.rounds):
        inside.append(bench.in_process(bench.sizes.seconds / 3))
        with house_of(bench) as house, house.serving() as server:
            ready_mb = server.usage().rss_mb
            measure(bench, server, CONNECTIONS, WARM_S)
            through.append(measure(bench, server, CONNECTIONS, bench.sizes.seconds))
            alone.append(measure(bench, server, 1, bench.sizes.seconds / 3))
            memory.append((ready_mb, server.usage().rss_mb))
        say(f"round {number + 1}: {inside[-1].texts_per_s:.0f} in-process, {through[-1].per_s:.0f} requests/s")
    _tell(inside, through, alone, memory)


def measure(bench: Bench, server: Server, n_connections: int, seconds: float) -> Round:
    payloads = predictions_of(NAME, server.house.key, bench.texts)

    async def load() -> list[Asked]:
        pool = Pool(server.port)
        try:
            return await closed_loop(pool, payloads, n_connections, seconds)
        finally:
            await pool.close()

    before, own_before = server.usage().cpu_s, own_cpu_s()
    asked = run(load())
    server_s, own_s = server.usage().cpu_s - before, own_cpu_s() - own_before
    took_s = max(one.at for one in asked) - asked[0].sent
    ms = [one.ms for one in asked if one.status == 200]
    account = account_of(bench, asked)
    each = 1000 / max(1, account.n_good)
    quantiles = (quantile(ms, 0.5), quantile(ms, 0.99))
    return Round(account.n_good / took_s, account, server_s * each, own_s * each, quantiles)


def _tell(inside: list[InProcess], through: list[Round], alone: list[Round], memory: list[tuple[float, float]]) -> None:
    shares = [one.per_s / rate.texts_per_s for one, rate in zip(through, inside, strict=True)]
    cpu, inside_cpu = median([one.server_ms for one in through]), median([one.cpu_ms for one in inside])
    faulty = [one.account for one in (*through, *alone) if one.account.n_good != one.account.n_asked]
    lone = sorted(alone, key=lambda one: one.ms[0])[len(alone) // 2]
    many = sorted(through, key=lambda one: one.per_s)[len(through) // 2]
    tell(
        "What HTTP costs",
        [
            ("in-process predict, texts/s", "", f"{median([one.texts_per_s for one in inside]):,.0f}"),
            (f"single texts over HTTP at {CONNECTIONS} connections, requests/s", "", f"{many.per_s:,.0f}"),
            ("share that survives HTTP", "≥ 45 %", f"{median(shares):.1%} ({min(shares):.1%} to {max(shares):.1%})"),
            (f"time at {CONNECTIONS} connections, median / p99", "", " / ".join(f"{ms:.1f} ms" for ms in many.ms)),
            ("time at 1 connection, median / p99", "", " / ".join(f"{ms:.2f} ms" for ms in lone.ms)),
            ("CPU of the server for a request", "", f"{cpu:.2f} ms; in-process {inside_cpu:.2f} ms for a text"),
            ("CPU of the load generator for a request", "", f"{median([one.client_ms for one in through]):.3f} ms"),
            ("resident memory of the server: ready / at the end", "", " / ".join(f"{mb:.0f} MB" for mb in max(memory))),
            ("requests with no right answer", "0", ", ".join(one.told() for one in faulty) or "0"),
        ],
    )
