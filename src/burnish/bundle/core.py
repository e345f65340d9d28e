"""Cores: features in, outputs out, in batches of like length so that little is padding. A runtime brings its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from burnish.data.features import cost_of, kind_of
from burnish.data.order import Batches, sorted_batches
from burnish.tasks._contract import Collated, Feature

if TYPE_CHECKING:
    from burnish.bundle.trunks import Trunk

TOKENS_PER_BATCH = 4096
TOKENS_PER_GPU_BATCH = 16_384  # a GPU is not busy with fewer

Outputs = list[NDArray[np.float32]]


class Core(Protocol):
    """What every runtime does: features → one array of logits each, in the order given."""

    @property
    def n_streams(self) -> int:
        """How many calls of `run`, each in a thread of its own, are computed side by side."""

    @property
    def has_threads(self) -> bool:
        """Whether it computes in threads of its own, which its callers only wait for."""

    @property
    def trunk(self) -> Trunk | None:
        """What it shares with other cores, and is asked through where several are asked at once; None for most."""

    def run(self, features: Sequence[Feature]) -> Outputs: ...

    def stream(self, feature: Feature) -> Iterator[str]: ...


def run_batches(
    features: Sequence[Feature],
    collate: Callable[[Sequence[Feature]], Collated],
    ask: Callable[[Collated], NDArray[np.float32]],
    tokens_per_batch: int = TOKENS_PER_BATCH,
) -> Outputs:
    """What `ask` gives for batches of features, one after the other: the outputs in the order of the features."""
    outputs: Outputs = [np.zeros(0, np.float32)] * len(features)
    for indices in planned(features, tokens_per_batch):
        batch = collate([features[i] for i in indices])
        put(outputs, indices, ask(batch), batch, features)
    return outputs


def planned(features: Sequence[Feature], tokens_per_batch: int) -> Batches:
    """Batches of features of one kind and like length, longest first."""
    lengths = np.asarray([cost_of(feature) for feature in features], np.int32)
    kinds = np.asarray([kind_of(feature) for feature in features], np.int32)
    return sorted_batches(lengths, tokens_per_batch, kinds=kinds)


def put(
    outputs: Outputs, indices: Sequence[int] | NDArray[np.int64], rows: NDArray[np.float32], batch: Collated,
    features: Sequence[Feature],
) -> None:  # fmt: skip
    """Put what a batch gave where it belongs: [K] each for heads that give rows or vectors (K = n H for n texts),
    [T, K] for heads that label tokens, without those of padding.
    """
    for i, row in zip(indices, _by_feature(rows, batch.rows_each, len(indices)), strict=True):
        outputs[i] = row[: cost_of(features[i])] if row.ndim == 2 else row


def _by_feature(
    rows: NDArray[np.float32], rows_each: Sequence[int] | None, n_features: int
) -> Sequence[NDArray[np.float32]]:
    """The outputs of each feature; where one holds several texts, their rows go side by side."""
    if rows.ndim != 2:
        return rows  # type: ignore[return-value]  # an array is a sequence of its rows
    if rows_each is None:
        return rows.reshape(n_features, -1)  # type: ignore[return-value]
    return [piece.reshape(-1) for piece in np.split(rows, np.cumsum(rows_each)[:-1])]
