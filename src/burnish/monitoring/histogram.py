"""Numbers counted in fixed bins: any number of rows in a few hundred integers, comparable with each other for ever."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

Scale = Literal["probability", "share", "length", "duration"]
Counts = NDArray[np.int64]


@cache
def edges_of(scale: Scale) -> tuple[float, ...]:
    """Lower ends of the bins. They never change: a stored histogram is read with those of its day."""
    if scale == "probability":  # even steps of the logit, so that 0.99 and 0.999 are told apart
        return (0.0, *(1.0 / (1.0 + math.exp(-step / 4)) for step in range(-28, 29)))
    if scale == "share":  # 0 is a bin of its own
        return (0.0, *(max(step / 50, 1e-9) for step in range(51)))
    if scale == "length":  # an eighth of a doubling, about 9 %
        return (0.0, *(2 ** (step / 8) for step in range(8 * 24)))
    return (0.0, *(2 ** (step / 16) for step in range(-16 * 4, 16 * 18)))  # milliseconds, 4 % a bin, up to 4 minutes


@dataclass(frozen=True)
class Histogram:
    """[bins] counts on one of the scales, and the exact sum of what was counted."""

    scale: Scale
    counts: Counts
    total: float

    @classmethod
    def of(cls, scale: Scale, values: Iterable[float]) -> Self:
        """Those of `values` that are finite."""
        given = np.asarray(list(values), dtype=np.float64)
        given = given[np.isfinite(given)]
        edges = np.asarray(edges_of(scale))
        place = np.clip(np.searchsorted(edges, given, side="right") - 1, 0, None)
        return cls(scale, np.bincount(place, minlength=len(edges)).astype(np.int64), float(given.sum()))

    def __add__(self, other: Histogram) -> Histogram:
        return Histogram(self.scale, self.counts + other.counts, self.total + other.total)

    def __len__(self) -> int:
        return int(self.counts.sum())

    @property
    def mean(self) -> float:
        """Exact; NaN of nothing."""
        return self.total / len(self) if len(self) else math.nan

    def above(self, limit: float) -> int:
        """How many lie in bins from that of `limit` on."""
        return int(self.counts[np.searchsorted(edges_of(self.scale), limit, side="right") - 1 :].sum())

    def quantile(self, share: float) -> float:
        """The value below which a share lies, by its place inside its bin; NaN of nothing."""
        if not len(self):
            return math.nan
        edges = edges_of(self.scale)
        wanted = share * len(self)
        upto = np.cumsum(self.counts)
        place = min(int(np.searchsorted(upto, wanted, side="left")), len(edges) - 1)
        low, high = edges[place], edges[min(place + 1, len(edges) - 1)]
        inside = (wanted - (upto[place] - self.counts[place])) / max(1, self.counts[place])
        return float(low + (high - low) * min(1.0, max(0.0, inside)))

    def to_dict(self) -> dict[str, Any]:
        """JSON; bins that hold nothing are left out."""
        held = {str(place): int(self.counts[place]) for place in np.flatnonzero(self.counts)}
        return {"scale": self.scale, "counts": held, "total": self.total}

    @classmethod
    def of_dict(cls, found: Mapping[str, Any]) -> Self:
        counts = np.zeros(len(edges_of(found["scale"])), dtype=np.int64)
        for place, count in found["counts"].items():
            counts[int(place)] = count
        return cls(found["scale"], counts, float(found["total"]))
