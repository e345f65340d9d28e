"""How fast and how large a model is here: whole answers, tokenising included, as whoever asks gets them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from burnish.bundle.predictor import Predictor
from burnish.tasks._contract import Example

ROUNDS = 3
SHORTEST_S = 0.5
N_SINGLE = 200
LONGEST_S = 20.0
"""After so long no further round or text is begun: a text that is written may take seconds."""
LEAST_SINGLE = 5


class Speed(BaseModel):
    """What was measured on this machine."""

    model_config = ConfigDict(frozen=True)

    texts_per_s: float
    """Many texts at once: the best of three rounds."""
    median_ms: float
    """One text at a time."""
    p99_ms: float


def measure(predictor: Predictor, examples: Sequence[Example]) -> Speed:
    """Answer all examples together, round after round, then one by one. The first round, in which code is compiled for
    the shapes of the batches, is not counted.
    """
    answer(predictor, examples)
    rates: list[float] = []
    began = time.perf_counter()
    while not _is_enough(len(rates), time.perf_counter() - began):
        started = time.perf_counter()
        answer(predictor, examples)
        rates.append(len(examples) / (time.perf_counter() - started))
    singles = [examples[at * len(examples) // N_SINGLE] for at in range(N_SINGLE)]
    _timed(predictor, singles)
    took = _timed(predictor, singles)
    return Speed(texts_per_s=max(rates), median_ms=float(np.median(took)), p99_ms=float(np.quantile(took, 0.99)))


def _is_enough(n_rounds: int, took_s: float) -> bool:
    if n_rounds < ROUNDS:
        return n_rounds > 0 and took_s > LONGEST_S
    return took_s >= SHORTEST_S


def _timed(predictor: Predictor, singles: Sequence[Example]) -> list[float]:
    """Milliseconds of each text alone, until there are as many as asked for or it takes too long."""
    took: list[float] = []
    while len(took) < len(singles) and (len(took) < LEAST_SINGLE or sum(took) < 1000 * LONGEST_S):
        started = time.perf_counter()
        answer(predictor, [singles[_spread(len(took), len(singles))]])
        took.append(1000 * (time.perf_counter() - started))
    return took


def _spread(n: int, n_all: int) -> int:
    """Which of `n_all` texts comes as the `n`-th, so that the first few lie as far apart as all do: steps that share no
    divisor with 200, about its golden section.
    """
    return n * 123 % n_all


def answer(predictor: Predictor, examples: Sequence[Example]) -> None:
    """Everything that `predict` does with examples once they are read."""
    knowledge = predictor.knowledge
    predictor.task.decode(predictor.answer(examples), knowledge.labels, knowledge.decision)


def size_bytes(folder: Path) -> int:
    """Bytes of every file below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
