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
    while len(rates) < ROUNDS or time.perf_counter() - began < SHORTEST_S:
        started = time.perf_counter()
        answer(predictor, examples)
        rates.append(len(examples) / (time.perf_counter() - started))
    singles = [examples[at * len(examples) // N_SINGLE] for at in range(N_SINGLE)]
    for example in singles:
        answer(predictor, [example])
    took = []
    for example in singles:
        started = time.perf_counter()
        answer(predictor, [example])
        took.append(1000 * (time.perf_counter() - started))
    return Speed(texts_per_s=max(rates), median_ms=float(np.median(took)), p99_ms=float(np.quantile(took, 0.99)))


def answer(predictor: Predictor, examples: Sequence[Example]) -> None:
    """Everything that `predict` does with examples once they are read."""
    knowledge = predictor.knowledge
    predictor.task.decode(predictor.answer(examples), knowledge.labels, knowledge.decision)


def size_bytes(folder: Path) -> int:
    """Bytes of every file below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
