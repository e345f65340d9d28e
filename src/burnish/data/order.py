"""The order of batches: a pure function of (seed, epoch), so that two integers are the loader's whole state.

Rows are shuffled, cut into megabatches, sorted by length inside each, cut into batches under a token budget, and
the batches are shuffled. Rows of like length meet, so little is padded, and yet rows, mates and order are new in
every epoch (sequence bucketing: Khomenko et al. 2016, arXiv 1708.05604). Rows of several kinds, such as those of
several tasks, are cut into batches kind by kind, and only the batches are shuffled together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from burnish.core.seeds import derive, generator

BATCHES_PER_MEGABATCH = 50
ROWS_SORTED_AT_ONCE = 20_000  # a data set this small is sorted whole: the least padding, for nothing in return
WANTED_FILL = 0.95

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Batches:
    """Batches of row indices: batch p holds `order[starts[p]:starts[p + 1]]`."""

    order: NDArray[np.int32]
    starts: Ints

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __iter__(self) -> Iterator[Ints]:
        return (self[position] for position in range(len(self)))

    def __getitem__(self, position: int) -> Ints:
        if not 0 <= position < len(self):
            raise IndexError(f"there is no batch {position}; the epoch has {len(self)}")
        return self.order[self.starts[position] : self.starts[position + 1]].astype(np.int64)


def batches_of(
    lengths: NDArray[Any],
    tokens_per_batch: int,
    seed: int,
    epoch: int,
    multiple: int = 1,
    kinds: NDArray[Any] | None = None,
) -> Batches:
    """Batches of one epoch: every row once, rows × longest ≤ `tokens_per_batch`; a longer row is alone.

    `lengths` [N] are tokens; `multiple` is what a device rounds lengths up to (1: nothing is rounded); a batch holds
    rows of one of `kinds` [N] only. The same arguments give the same batches on every machine.
    """
    if is_mixed(kinds):
        mixed = _kind_by_kind(
            kinds,
            lambda own, kind: batches_of(lengths[own], tokens_per_batch, derive(seed, "kind", kind), epoch, multiple),
        )
        return _shuffled(mixed, generator(seed, "order of kinds", epoch))
    rng = generator(seed, "order", epoch)
    computed = _rounded(lengths, multiple)
    order = rng.permutation(len(computed)).astype(np.int32)
    size = _megabatch_rows(computed, order, tokens_per_batch)
    cuts = [0]
    for start in range(0, len(order), size):
        mates = order[start : start + size]
        mates = mates[_longest_first(computed[mates])]
        order[start : start + size] = mates
        cuts += _cut(computed[mates], tokens_per_batch, rng, start)
    return _shuffled(Batches(order, np.array(cuts, np.int64)), rng)


def sorted_batches(
    lengths: NDArray[Any], tokens_per_batch: int, multiple: int = 1, kinds: NDArray[Any] | None = None
) -> Batches:
    """Batches for prediction, longest rows first: memory peaks at once, and time left is never underestimated.

    A batch holds rows of one of `kinds` [N] only; then the longest of each kind come first.
    """
    if is_mixed(kinds):
        return _kind_by_kind(kinds, lambda own, _: sorted_batches(lengths[own], tokens_per_batch, multiple))
    computed = _rounded(lengths, multiple)
    order = _longest_first(computed).astype(np.int32)
    return Batches(order, np.array([0, *_cut(computed[order], tokens_per_batch, None, 0)], np.int64))


def fill(lengths: NDArray[Any], batches: Batches, multiple: int = 1) -> float:
    """Share of the computed tokens that are real: sum of lengths / sum over batches of rows × longest."""
    if not len(batches):
        return 1.0
    computed = _rounded(lengths, multiple)[batches.order]
    longest = np.maximum.reduceat(computed, batches.starts[:-1]).astype(np.int64)
    real = np.asarray(lengths)[batches.order]
    return float(np.sum(real, dtype=np.int64)) / float(np.sum(longest * np.diff(batches.starts)))


def is_mixed(kinds: NDArray[Any] | None) -> TypeGuard[NDArray[Any]]:
    """Whether rows are of more than one kind."""
    return kinds is not None and bool((kinds != kinds[:1]).any())


def _kind_by_kind(kinds: NDArray[Any], cut: Callable[[Ints, int], Batches]) -> Batches:
    """The batches that `cut` makes of the rows of each kind, one kind after the other."""
    orders, starts = [], [np.zeros(1, np.int64)]
    for kind in np.unique(kinds).tolist():
        own = np.flatnonzero(kinds == kind)
        batches = cut(own, kind)
        orders.append(own[batches.order].astype(np.int32))
        starts.append(batches.starts[1:] + starts[-1][-1])
    return Batches(np.concatenate(orders), np.concatenate(starts))


def _rounded(lengths: NDArray[Any], multiple: int) -> NDArray[np.int32]:
    """Lengths as they are computed. An empty row counts as one token: a batch of them must end somewhere."""
    return np.maximum(-(-np.asarray(lengths, np.int32) // multiple) * multiple, 1)


def _longest_first(computed: NDArray[np.int32]) -> Ints:
    """Stable, so that equal lengths keep their order on every machine; 16-bit keys take numpy's radix sort."""
    below = computed.max(initial=0) - computed
    return np.argsort(below.astype(np.uint16) if below.max(initial=0) < 1 << 16 else below, kind="stable")


def _megabatch_rows(computed: NDArray[np.int32], order: NDArray[np.int32], budget: int) -> int:
    """Rows to sort at once: 50 batches' worth, more where lengths spread so widely that these would pad too much."""
    if not len(computed):
        return 1
    size = max(ROWS_SORTED_AT_ONCE, int(BATCHES_PER_MEGABATCH * budget / computed.mean()))
    while size < len(order):
        sample = computed[order[:size]]  # the first megabatch stands for all: the order is random
        if fill(sample, sorted_batches(sample, budget)) >= WANTED_FILL:
            break
        size *= 2
    return size


def _cut(descending: NDArray[np.int32], budget: int, rng: np.random.Generator | None, offset: int) -> list[int]:
    """Where batches end in rows sorted from long to short; the first row of a batch is its longest.

    With `rng` the first batch takes a random part of what it could, so that the same rows do not meet in every
    epoch even where no two rows are equally long.
    """
    room = np.maximum(budget // descending, 1).tolist()
    n = len(room)
    ends = []
    at = 0
    while at < n:
        step = room[at] if at or rng is None else int(rng.integers(1, room[0] + 1))
        at = min(at + step, n)
        ends.append(at + offset)
    return ends


def _shuffled(batches: Batches, rng: np.random.Generator) -> Batches:
    chosen = rng.permutation(len(batches))
    sizes = np.diff(batches.starts)[chosen]
    ends = np.cumsum(sizes)
    places = np.arange(len(batches.order)) + np.repeat(batches.starts[:-1][chosen] - (ends - sizes), sizes)
    return Batches(batches.order[places], np.concatenate([[0], ends]))
