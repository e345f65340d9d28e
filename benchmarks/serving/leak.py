"""Part `leak`: many requests and swaps in one server. Three versions take turns: each swap loads one, one is let go."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from serving.bench import Account, Bench, account_of, say, tell
from serving.client import Pool, clock, predictions_of
from serving.house import NAME, Server, house_of
from serving.load import Closed, run
from serving.processes import Usage

N_VERSIONS = 3
CONNECTIONS = 32
CALM_SHARE = 0.2
"""Of the requests come before the first swap, so that what leaks by requests is told from what leaks by swaps."""
GIVE_UP_S = 60.0
LET_GO_S = 0.3
"""From a swap until memory is looked at: by then the version that no name needs any more is gone."""
SETTLE_SHARE = 0.1
"""Of the samples of each stretch, during which pools and caches fill."""
TENS = 10_000


@dataclass(frozen=True)
class Sample:
    n_requests: int
    n_swaps: int
    usage: Usage


def leak(bench: Bench) -> None:
    options = ("--limit", "waiting=1000")
    with house_of(bench, n_versions=N_VERSIONS) as house, house.serving(*options) as server:
        calm, swapped, account = run(_go_on(bench, server))
    _tell(calm, swapped, account)


async def _go_on(bench: Bench, server: Server) -> tuple[list[Sample], list[Sample], Account]:
    """Samples of the stretch without swaps, of that with them, and what became of all requests."""
    n_all, n_swaps = bench.sizes.requests, bench.sizes.leak_swaps
    n_calm = int(n_all * CALM_SHARE)
    each = max(1, (n_all - n_calm) // n_swaps)
    pool, own = Pool(server.port), Pool(server.port)
    payloads = predictions_of(NAME, server.house.key, bench.texts)
    calm, swapped, found = [], [], []
    while len(found) < n_calm:
        found += await Closed(pool, payloads, CONNECTIONS, min(500, n_calm - len(found)), len(found)).ended()
        calm.append(Sample(len(found), 0, server.usage()))
    for number in range(n_swaps):
        loading = Closed(pool, payloads, CONNECTIONS, each, len(found))
        await _promote(server, own, 1 + (number + 1) % N_VERSIONS)
        found += await loading.ended()
        await asyncio.sleep(LET_GO_S)
        swapped.append(Sample(len(found), number + 1, server.usage()))
        if number % 25 == 0:
            say(f"{len(found):,} requests, {number + 1} swaps: {swapped[-1].usage}")
    await pool.close()
    await own.close()
    return calm, swapped, account_of(bench, found)


async def _promote(server: Server, own: Pool, version: int) -> None:
    """Returns when the version answers."""
    key, until = server.house.key, clock() + GIVE_UP_S
    path = f"/v1/models/{NAME}"
    said = await own.call("POST", f"{path}/promote", {"version": version, "force": True}, key=key)
    if said.status != 200:
        raise RuntimeError(f"promoting was answered by {said.status} {said.body.decode()}")
    while (await own.call("GET", path, key=key)).json()["version"] != version:
        if clock() > until:
            raise TimeoutError(f"version {version} does not answer {GIVE_UP_S:g} s after it was promoted")
        await asyncio.sleep(0.02)


def slope_mb(samples: list[Sample]) -> float:
    """MB in 10,000 requests, by least squares over the samples after the first ones."""
    kept = samples[int(len(samples) * SETTLE_SHARE) :]
    n = len(kept)
    if n < 2:
        return float("nan")
    x = [one.n_requests / TENS for one in kept]
    y = [one.usage.rss_mb for one in kept]
    mean_x, mean_y = sum(x) / n, sum(y) / n
    spread = sum((one - mean_x) ** 2 for one in x)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread


def _tell(calm: list[Sample], swapped: list[Sample], account: Account) -> None:
    rss = [one.usage.rss_mb for one in (*calm, *swapped)]
    n_swaps = swapped[-1].n_swaps
    half = len(swapped) // 2
    tell(
        f"{account.n_asked:,} requests, {n_swaps} swaps that each load a version",
        [
            ("requests without a right answer", "0", f"{account.n_asked - account.n_good:,} ({account.told()})"),
            ("RSS slope before the first swap, MB in 10,000 requests", "≤ 1", f"{slope_mb(calm):+.2f}"),
            ("RSS slope with swaps, MB in 10,000 requests", "≤ 1", f"{slope_mb(swapped):+.2f}"),
            ("the same over the second half", "", f"{slope_mb(swapped[half:]):+.2f}"),
            ("RSS at the start / the first swap / the end / at most", "", _mb(rss[0], calm[-1], swapped[-1], max(rss))),
            ("threads after the first tenth of the swaps, and at the end", "the same", _ends(swapped, "n_threads")),
            ("open files and sockets, likewise", "the same", _ends(swapped, "n_files")),
        ],
    )


def _mb(start: float, before: Sample, after: Sample, most: float) -> str:
    return f"{start:.0f} / {before.usage.rss_mb:.0f} / {after.usage.rss_mb:.0f} / {most:.0f} MB"


def _ends(samples: list[Sample], name: str) -> str:
    """Least and most of early and of late samples: a version that is being let go counts for a moment."""
    n = max(1, len(samples) // 10)
    early, late = ([getattr(one.usage, name) for one in some] for some in (samples[n : 2 * n + 1], samples[-n:]))
    return f"{min(early)} to {max(early)}, {min(late)} to {max(late)}"
