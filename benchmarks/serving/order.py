"""Part `order`: what dealing out texts that wait by length gains, without HTTP; as many wait as may at any time."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from itertools import cycle

from burnish.bundle.predictor import load_predictor
from burnish.serving.crew import Crew, Work
from burnish.serving.lane import Lane
from burnish.serving.limits import Limits
from burnish.serving.served import characters_each
from serving.bench import Bench, tell

TURNS, TURN_S, SETTLE_S = 16, 3.0, 0.8
PATIENCE_S = 30.0
LOOK_S = 0.004
WAYS = {"as they come": lambda items: 0.0, "by length": characters_each}


def order(bench: Bench) -> None:
    """Texts a second of the model alone, in turns of one way and the other."""
    rates = asyncio.run(_measured(bench))
    ratios = [new / old for old, new in zip(*rates.values(), strict=True)]
    error = statistics.stdev(ratios) / len(ratios) ** 0.5
    rows = [(name, "", f"{statistics.mean(own):,.0f} texts/s") for name, own in rates.items()]
    tell(
        f"Texts that wait, {TURNS} turns of {TURN_S:g} s each",
        [*rows, ("gain", "", f"{statistics.mean(ratios) - 1:+.1%} ± {error:.1%}")],
    )


async def _measured(bench: Bench) -> dict[str, list[float]]:
    predictor, limits = load_predictor(bench.bundle), Limits()
    batches: list[tuple[int, float]] = []

    def process(batch: Sequence[Work]) -> Sequence[object]:
        started = time.perf_counter()
        found = list(predictor.predict(item for work in batch for item in work.items))
        batches.append((len(found), time.perf_counter() - started))
        return found

    lane = Lane(process, limits.waiting, Crew(limits.batch))
    examples, loop = cycle([{"text": text} for text in bench.texts]), asyncio.get_running_loop()

    async def ask_for(seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            while not lane.is_full(0):
                deadline = time.monotonic() + PATIENCE_S
                lane.put(Work(lane, [next(examples)], None, deadline, loop, loop.create_future()))
            await asyncio.sleep(LOOK_S)

    rates: dict[str, list[float]] = {name: [] for name in WAYS}
    for turn in range(TURNS):
        for name in list(WAYS)[:: -1 if turn % 2 else 1]:
            lane.length_of = WAYS[name]
            await ask_for(SETTLE_S)
            batches.clear()
            await ask_for(TURN_S)
            rates[name].append(sum(n for n, _ in batches) / sum(took_s for _, took_s in batches))
    await asyncio.to_thread(lane.close)
    return rates
