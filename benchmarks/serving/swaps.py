"""Part `signals`, swaps: promote and roll back under load. No request may fail, and each must be answered by a version
that was in service at some moment since shortly before it was sent.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from dataclasses import dataclass, replace

from serving.bench import Bench, say, tell
from serving.client import Asked, Pool, clock, predictions_of
from serving.house import NAME, Server, house_of
from serving.load import Closed, quantile, run

CONNECTIONS = 32
BY_COMMAND_EVERY = 10
"""One in so many is done by the command line, the others over HTTP, where the answer comes sooner."""
EFFECT_S = 1.0
GIVE_UP_S = 30.0


@dataclass(frozen=True)
class Swap:
    """One change of the version that answers."""

    version: int
    began: float
    returned: float


def swaps(bench: Bench) -> None:
    with house_of(bench, n_versions=2) as house, house.serving() as server:
        made, asked = run(_swap_under_load(bench, server))
    _tell(bench, made, asked)


async def _swap_under_load(bench: Bench, server: Server) -> tuple[list[Swap], list[Asked]]:
    draw, made = random.Random(7), []
    pool, own = Pool(server.port), Pool(server.port)
    answering: list[int] = []
    load = Closed(pool, predictions_of(NAME, server.house.key, bench.texts), CONNECTIONS)
    load.on_answer = lambda one: answering.append(_version(one)) if one.status == 200 else None
    await asyncio.sleep(1.0)
    for number in range(bench.sizes.swaps + 1):
        version = 2 - number % 2
        swap = await _swap(server, own, version, number % BY_COMMAND_EVERY == BY_COMMAND_EVERY - 1)
        until = clock() + GIVE_UP_S
        while (not answering or answering[-1] != version) and clock() < until:
            await asyncio.sleep(0.005)
        took_s = clock() - swap.returned
        made.append(replace(swap, returned=clock()) if number == 0 else swap)  # the first one has to load its version
        say(f"swap {number}: {took_s:.2f} s after its return")
        await asyncio.sleep(draw.uniform(0.1, 0.4))
    asked = await load.stop()
    await pool.close()
    await own.close()
    return made, asked


async def _swap(server: Server, own: Pool, version: int, by_command: bool) -> Swap:
    """To version 2 by promoting it, back to 1 by rolling back."""
    began, house = clock(), server.house
    if by_command:
        words = ["promote", f"{NAME}:2", "--force"] if version == 2 else ["rollback", NAME]
        command = (sys.executable, "-m", "burnish", *words)
        quiet = asyncio.subprocess.DEVNULL
        done = await asyncio.create_subprocess_exec(*command, env=house.environment, stdout=quiet, stderr=quiet)
        status = 200 if await asyncio.wait_for(done.wait(), GIVE_UP_S * 2) == 0 else 0
    elif version == 2:
        body = {"version": 2, "force": True}
        status = (await own.call("POST", f"/v1/models/{NAME}/promote", body, key=house.key)).status
    else:
        status = (await own.call("POST", f"/v1/models/{NAME}/rollback", {}, key=house.key)).status
    if status != 200:
        raise RuntimeError(f"the swap to version {version} was answered by {status}")
    return Swap(version, began, clock())


def _version(asked: Asked) -> int:
    found: int = asked.json()["version"]
    return found


def _tell(bench: Bench, made: list[Swap], asked: list[Asked]) -> None:
    failed = Counter(one.fault or str(one.status) for one in asked if one.status != 200)
    answered = [one for one in asked if one.status == 200]
    n_wrong = sum(not bench.is_right(one) for one in answered)
    n_strange = sum(_version(one) not in _live(made, one) for one in answered)
    effects = [_effect_s(swap, after, answered) for swap, after in zip(made, [*made[1:], None], strict=True)]
    lags = [_lag_s(swap, after, answered) for swap, after in zip(made, [*made[1:], None], strict=True)]
    tell(
        f"{len(made) - 1} swaps and rollbacks under load, after one that loads the other version",
        [
            ("requests, those that failed", "0", f"{len(asked):,}, {', '.join(map(str, failed.items())) or 0}"),
            ("wrong answers", "0", f"{n_wrong:,}"),
            ("answered by a version that was not in service", "0", f"{n_strange:,}"),
            ("return to first answer of the other version", f"≤ {EFFECT_S:g} s", _seconds(effects[1:])),
            ("return to last request that the old version answered", f"≤ {EFFECT_S:g} s", _seconds(lags[1:])),
        ],
    )


def _live(made: list[Swap], asked: Asked) -> set[int]:
    """Versions in service between `EFFECT_S` before a request was sent and its answer."""
    found, now = set(), 1
    for swap in made:
        if swap.returned >= asked.sent - EFFECT_S:  # what was before may still answer
            found.add(now)
        now = swap.version
        if swap.began > asked.at:
            return found
    return found | {now}


def _effect_s(swap: Swap, after: Swap | None, answered: list[Asked]) -> float:
    own = [one.at for one in answered if _version(one) == swap.version and one.at > swap.began]
    own = [at for at in own if after is None or at < after.returned + EFFECT_S]
    return max(0.0, min(own) - swap.returned) if own else GIVE_UP_S


def _lag_s(swap: Swap, after: Swap | None, answered: list[Asked]) -> float:
    """How long after the return a request was still answered by the version before."""
    end = after.began if after else float("inf")
    late = [
        one.sent - swap.returned for one in answered if _version(one) != swap.version and swap.began < one.sent < end
    ]
    return max(0.0, max(late, default=0.0))


def _seconds(values: list[float]) -> str:
    return f"median {quantile(values, 0.5):.2f} s, most {max(values, default=0.0):.2f} s"
