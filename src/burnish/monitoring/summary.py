"""What many predictions look like, in numbers whose memory does not grow with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from burnish.monitoring.histogram import Histogram, Scale
from burnish.store.records import Prediction

Item = TypeVar("Item")
MOST_VECTORS = 500
MOST_LABELS = 10_000  # more distinct labels than that are counted together
OTHERS = "(other labels)"
SCALES: dict[str, Scale] = {
    "confidence": "probability",
    "ms": "duration",
    "n_characters": "length",
    "share_cjk": "share",
    "share_unknown": "share",
}
PIECE = 4096  # predictions that are looked at before they are counted


@dataclass(frozen=True)
class Summary:
    """Counts and histograms of predictions, and at most 500 of their vectors, drawn evenly."""

    n_rows: int
    labels: Mapping[str, int]
    """Label → times it was the answer."""
    n_abstained: int
    n_out_of_scope: int
    n_unsure: int
    """Abstained, out of scope, or both."""
    n_private: int
    """Inputs in which personal data was found."""
    private: Mapping[str, int]
    """Kind of personal data → times it was found."""
    confidence: Histogram
    ms: Histogram
    n_characters: Histogram
    share_cjk: Histogram
    share_unknown: Histogram
    vectors: NDArray[np.float32]
    """[at most 500, D]"""

    @classmethod
    def of(cls, predictions: Iterable[Prediction], draw: np.random.Generator | None = None) -> Self:
        """One pass over predictions, in constant memory. `draw` chooses the vectors that are kept."""
        tally = _Tally(draw or np.random.default_rng(0))
        for prediction in predictions:
            tally.add(prediction)
        return cls(**tally.fields())

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        histograms = {name: getattr(self, name).to_dict() for name in SCALES}
        mappings = {"labels": dict(self.labels), "private": dict(self.private)}
        return {**plain, **mappings, **histograms, "vectors": np.round(self.vectors.astype(np.float64), 6).tolist()}

    @classmethod
    def of_dict(cls, found: Mapping[str, Any]) -> Self:
        fields: dict[str, Any] = {name: found[name] for name in (*_PLAIN, "labels", "private")}
        fields |= {name: Histogram.of_dict(found[name]) for name in SCALES}
        return cls(**fields, vectors=_stacked(found["vectors"]))


_PLAIN = ("n_rows", "n_abstained", "n_out_of_scope", "n_unsure", "n_private")


class Reservoir(Generic[Item]):
    """An even draw of at most `size` of items that come one by one (algorithm R, Vitter 1985)."""

    def __init__(self, size: int, draw: np.random.Generator) -> None:
        self.items: list[Item] = []
        self._size, self._draw, self._n_seen = size, draw, 0

    def add(self, item: Item) -> None:
        self._n_seen += 1
        if len(self.items) < self._size:
            self.items.append(item)
        elif (place := int(self._draw.integers(self._n_seen))) < self._size:
            self.items[place] = item


class _Tally:
    """A summary that grows."""

    def __init__(self, draw: np.random.Generator) -> None:
        self.counts: Counter[str] = Counter()
        self.labels: Counter[str] = Counter()
        self.private: Counter[str] = Counter()
        self.pending: dict[str, list[float]] = {name: [] for name in SCALES}
        self.histograms = {name: Histogram.of(scale, []) for name, scale in SCALES.items()}
        self.vectors: Reservoir[tuple[float, ...]] = Reservoir(MOST_VECTORS, draw)

    def add(self, one: Prediction) -> None:
        self.counts["n_rows"] += 1
        self.counts["n_abstained"] += one.is_abstained
        self.counts["n_out_of_scope"] += one.is_out_of_scope
        self.counts["n_unsure"] += one.is_abstained or one.is_out_of_scope
        self.counts["n_private"] += bool(one.private)
        self.private.update(one.private)
        if one.label is not None:
            is_room = one.label in self.labels or len(self.labels) < MOST_LABELS
            self.labels[one.label if is_room else OTHERS] += 1
        if one.vector is not None:
            self.vectors.add(tuple(one.vector))
        for name, value in _measured(one):
            self.pending[name].append(value)
        if self.counts["n_rows"] % PIECE == 0:
            self._count()

    def fields(self) -> dict[str, Any]:
        self._count()
        mappings = {"labels": dict(self.labels), "private": dict(self.private)}
        vectors = _alike(self.vectors.items)
        return {**{name: int(self.counts[name]) for name in _PLAIN}, **mappings, **self.histograms, "vectors": vectors}

    def _count(self) -> None:
        for name, values in self.pending.items():
            self.histograms[name] += Histogram.of(SCALES[name], values)
            values.clear()


def _measured(one: Prediction) -> Iterable[tuple[str, float]]:
    """What a prediction says; an input without text has neither a length nor a language."""
    if one.confidence is not None:
        yield "confidence", one.confidence
    if one.ms > 0.0:
        yield "ms", one.ms
    if one.n_characters > 0:
        yield "n_characters", one.n_characters
        yield "share_cjk", one.share_cjk
    if one.n_tokens > 0:
        yield "share_unknown", one.share_unknown


def _alike(vectors: list[tuple[float, ...]]) -> NDArray[np.float32]:
    """[V, D] those of the commonest length: after new labels came, older vectors cannot be compared."""
    widths = Counter(map(len, vectors)).most_common(1)
    return _stacked([vector for vector in vectors if len(vector) == widths[0][0]])


def _stacked(vectors: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    return np.asarray(vectors, dtype=np.float32) if vectors else np.zeros((0, 0), np.float32)
