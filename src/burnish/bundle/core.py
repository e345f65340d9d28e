"""Cores: features in, outputs out, in batches of like length so that little is padding. A runtime brings its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from burnish.data.features import cost_of, kind_of
from burnish.data.order import sorted_batches
from burnish.tasks._contract import Collated, Feature

TOKENS_PER_BATCH = 4096

Outputs = list[NDArray[np.float32]]


class Core(Protocol):
    """What every runtime does: features → one array of logits each, in the order given."""

    def run(self, features: Sequence[Feature]) -> Outputs: ...

    def stream(self, feature: Feature) -> Iterator[str]: ...


def run_batches(
    features: Sequence[Feature],
    collate: Callable[[Sequence[Feature]], Collated],
    ask: Callable[[Collated], NDArray[np.float32]],
) -> Outputs:
    """What `ask` gives for batches of features, sorted by length, given back one by one in the order of the features.

    [K] each for heads that give rows or vectors (K = n H for n texts), [T, K] for heads that label tokens.
    """
    lengths = np.asarray([cost_of(feature) for feature in features], np.int32)
    kinds = np.asarray([kind_of(feature) for feature in features], np.int32)
    outputs: Outputs = [np.zeros(0, np.float32)] * len(features)
    for indices in sorted_batches(lengths, TOKENS_PER_BATCH, kinds=kinds):
        batch = collate([features[i] for i in indices])
        rows = ask(batch)
        for i, row in zip(indices, _by_feature(rows, batch.rows_each, len(indices)), strict=True):
            outputs[i] = row[: lengths[i]] if row.ndim == 2 else row
    return outputs


def _by_feature(
    rows: NDArray[np.float32], rows_each: Sequence[int] | None, n_features: int
) -> Sequence[NDArray[np.float32]]:
    """The outputs of each feature; where one holds several texts, their rows go side by side."""
    if rows.ndim != 2:
        return rows  # type: ignore[return-value]  # an array is a sequence of its rows
    if rows_each is None:
        return rows.reshape(n_features, -1)  # type: ignore[return-value]
    return [piece.reshape(-1) for piece in np.split(rows, np.cumsum(rows_each)[:-1])]
