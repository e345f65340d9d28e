"""Percentile bootstrap over rows: how far a score would move with other rows of the same kind (Efron 1979)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from burnish.core.seeds import generator
from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._resampling import resampled_by

CHUNK_CELLS = 4_000_000  # resamples × rows held at once: 32 MB


class Interval(NamedTuple):
    """A 95 % interval."""

    low: float
    high: float


def intervals(outcome: Outcome, metrics: Sequence[Metric], n_resamples: int, seed: int) -> dict[str, Interval]:
    """Name → 95 % percentile interval of every score of `metrics`; empty without resamples or rows."""
    return {
        name: Interval(*(float(edge) for edge in np.quantile(values, [0.025, 0.975])))
        for name, values in resampled_scores(outcome, metrics, n_resamples, seed).items()
    }


def resampled_scores(outcome: Outcome, metrics: Sequence[Metric], n_resamples: int, seed: int) -> dict[str, Floats]:
    """Name → [R] scores of R resamples of the rows.

    The resamples depend on `seed`, R and the number of rows only: two outcomes of the same rows are resampled alike,
    which is what a paired test needs.
    """
    pieces: dict[str, list[Floats]] = defaultdict(list)
    for takes in _takes(len(outcome), n_resamples, seed):
        for metric in metrics:
            for name, values in resampled_by(metric, outcome, takes).items():
                pieces[name].append(values)
    return {name: np.concatenate(values) for name, values in pieces.items()}


def _takes(n_rows: int, n_resamples: int, seed: int) -> Iterator[Ints]:
    """How often each row is taken, [r, N] at a time."""
    draw = generator(seed, "bootstrap")
    step = max(1, CHUNK_CELLS // max(n_rows, 1))
    for start in range(0, n_resamples if n_rows else 0, step):
        size = min(step, n_resamples - start)
        yield np.stack([np.bincount(draw.integers(n_rows, size=n_rows), minlength=n_rows) for _ in range(size)])
