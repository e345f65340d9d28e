"""Leaks: rows of one given split that repeat, exactly or nearly, a row of another.

A model that has seen a test row in training is judged too well on it. Nothing is moved or dropped here: the
splits were given; the data card says what was found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from burnish.core.events import Listener, ignore
from burnish.data.duplicates import Clusters, Mode, all_duplicates, comparable
from burnish.data.shingles import core, jaccard, normalised, ranges, wanted_similarity

Ints = NDArray[np.int64]

N_EXAMPLES = 10
N_PARTNERS = 32  # different texts of the other side that a row is compared with, where a cluster is that large
N_COMPARED = 2000  # rows at once


class Side(Protocol):
    """One split: a `Corpus`, or anything else of examples in order that can also be taken by index."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[dict[str, Any]]: ...
    def take(self, indices: Sequence[int]) -> list[dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class LeakExample:
    """A leaked row beside the row that it repeats. Lines as in the files."""

    text: str
    line: int
    other_text: str
    other_line: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Leak:
    """What of `side` repeats a row of `other`."""

    side: str
    other: str
    n_rows: int
    """Rows of `side` that repeat some row of `other`."""
    n_exact: int
    """Those of them that do so exactly."""
    share: float
    """n_rows ÷ rows of `side`."""
    examples: tuple[LeakExample, ...]


def leaks(
    sides: Mapping[str, Side], mode: Mode, similarity: float, work: Path, listen: Listener = ignore
) -> list[Leak]:
    """One `Leak` for each two sides, the later one in `sides` (say test) against the earlier (train).

    `sides` is in the order train, dev, test. Pairs of sides without a leak are listed too, with 0 rows.
    """
    names = list(sides)
    n = sum(len(side) for side in sides.values())
    texts = (comparable(example) for side in sides.values() for example in side)
    found = all_duplicates(texts, n, mode, similarity, work, listen)
    starts = np.cumsum([0, *(len(side) for side in sides.values())]).tolist()
    places = {name: slice(starts[at], starts[at + 1]) for at, name in enumerate(names)}
    return [
        _leak((other, side), _Comparison(found, sides[side], sides[other], places[side], places[other]), similarity)
        for other, side in combinations(names, 2)
    ]


@dataclass(frozen=True)
class _Comparison:
    """Two sides in one numbering: row r of a side is number start + r among all rows."""

    found: Clusters
    side: Side
    other: Side
    side_rows: slice
    other_rows: slice

    def exact(self) -> tuple[Ints, Ints]:
        """Rows of the side [K] whose very text stands in the other, and the first such row there [K]."""
        texts, first = np.unique(self.found.exact_ids[self.other_rows], return_index=True)
        mine = self.found.exact_ids[self.side_rows]
        rows = np.flatnonzero(np.isin(mine, texts))
        return rows, first[np.searchsorted(texts, mine[rows])]

    def near(self, exact: Ints, threshold: float) -> tuple[Ints, Ints, NDArray[np.float64]]:
        """Further rows [K] that are near a row of the other side, the most similar row there [K], and how similar.

        A cluster may be a chain of look-alikes, so that its ends differ: the two texts themselves decide.
        """
        is_open = np.isin(self.found.ids[self.side_rows], self.found.ids[self.other_rows])
        is_open[exact] = False
        rows = np.flatnonzero(is_open)
        parts = [self._compared(rows[at : at + N_COMPARED], threshold) for at in range(0, len(rows), N_COMPARED)]
        if not parts:
            return rows, rows, np.empty(0)
        rows, partners, similarities = (np.concatenate(column) for column in zip(*parts, strict=True))
        return rows, partners, similarities

    def _compared(self, rows: Ints, threshold: float) -> tuple[Ints, Ints, NDArray[np.float64]]:
        owners, partners = self._pairs(rows)
        needed, places = np.unique(partners, return_inverse=True)
        texts = [*_cores(self.side, rows), *_cores(self.other, needed)]
        similarities = jaccard(texts, owners, len(rows) + places)
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        shorter = np.minimum(lengths[owners], lengths[len(rows) + places])
        similarities[similarities < wanted_similarity(shorter, threshold) - 1e-9] = -1
        best = np.lexsort((partners, -similarities, owners))  # the best partner of each row comes first
        best = best[np.unique(owners[best], return_index=True)[1]]
        best = best[similarities[best] >= 0]
        return rows[owners[best]], partners[best], similarities[best]

    def _pairs(self, rows: Ints) -> tuple[Ints, Ints]:
        """Positions in `rows`, and beside each a different text of the other side from the same cluster."""
        clusters, first = self._others
        mine = self.found.ids[self.side_rows][rows]
        begins = np.searchsorted(clusters, mine)
        counts = np.minimum(np.searchsorted(clusters, mine, side="right") - begins, N_PARTNERS)
        return np.repeat(np.arange(len(rows)), counts), first[ranges(begins, counts)]

    @cached_property
    def _others(self) -> tuple[Ints, Ints]:
        """The different texts of the other side, by cluster: their clusters, and the first row of each."""
        _, first = np.unique(self.found.exact_ids[self.other_rows], return_index=True)
        clusters = self.found.ids[self.other_rows][first]
        order = np.lexsort((first, clusters))
        return clusters[order], first[order]

    def example(self, row: int, partner: int, similarity: float) -> LeakExample:
        [mine], [theirs] = self.side.take([row]), self.other.take([partner])
        return LeakExample(
            comparable(mine), int(mine["line"]), comparable(theirs), int(theirs["line"]), round(similarity, 4)
        )


def _leak(names: tuple[str, str], compared: _Comparison, threshold: float) -> Leak:
    other, side = names
    exact, originals = compared.exact()
    near, partners, similarities = compared.near(exact, threshold)
    shown_exact = [(row, first, 1.0) for row, first in zip(exact.tolist(), originals.tolist(), strict=True)]
    shown_near = zip(near.tolist(), partners.tolist(), similarities.tolist(), strict=True)
    n_near = max(N_EXAMPLES // 2, N_EXAMPLES - len(exact))
    chosen = [*islice(shown_near, n_near), *shown_exact[:N_EXAMPLES]][:N_EXAMPLES]
    n_rows = len(exact) + len(near)
    share = n_rows / max(1, len(compared.side))
    return Leak(side, other, n_rows, len(exact), share, tuple(compared.example(*pair) for pair in chosen))


def _cores(side: Side, rows: Ints) -> list[str]:
    return [core(normalised(comparable(example))) for example in side.take(rows.tolist())]
