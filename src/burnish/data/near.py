"""Near duplicates: MinHash bands propose pairs, the true Jaccard similarity decides.

Broder 1997; the bands as in Leskovec, Rajaraman & Ullman, "Mining of Massive Datasets", §3.4. Bands lie on
disk and are joined one at a time: memory holds a few numbers a text, never a signature.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burnish.core.events import Listener, Progress
from burnish.core.seeds import generator
from burnish.data.disjoint import DisjointSets
from burnish.data.shingles import jaccard, shingles, signatures, wanted_similarity
from burnish.data.spool import TextSpool, pieces, pread

Ints = NDArray[np.int64]

N_HASHES = 128
RECALL = 0.995  # of pairs exactly as similar as asked; more similar ones are found surer still
N_EXAMPLES = 10


@dataclass
class NearSearch:
    """Looks for near duplicates among the spooled texts `numbers`, and joins them in `sets` (by position)."""

    spool: TextSpool
    numbers: Ints
    sets: DisjointSets
    similarity: float
    pairs: list[tuple[int, int, float]] = field(default_factory=list)
    """The first joined pairs: two positions and their similarity."""

    def run(self, work: Path, listen: Listener) -> None:
        n_bands, n_rows = bands_for(self.similarity)
        n = len(self.numbers)
        with tempfile.TemporaryFile(dir=work) as file:
            self._write_bands(file.fileno(), n_bands, n_rows)
            for band in range(n_bands):
                keys = np.frombuffer(pread(file.fileno(), 8 * n, 8 * n * band), np.uint64)
                self._verify_all(*candidates(keys))
                listen(Progress("near duplicates", band + 1, n_bands, "bands"))

    def _write_bands(self, file: int, n_bands: int, n_rows: int) -> None:
        """Write the keys, band by band: that of position i in band b at byte 8 · (b · n + i)."""
        for begin, end in self.spool.pieces(self.numbers):
            rng = generator(0, "minhash")  # the same random orders for every piece and every run
            of = shingles(self.spool.read(self.numbers[begin:end]))
            signature = signatures(of, n_bands * n_rows, rng).reshape(n_bands, n_rows, -1)
            for band, minima in enumerate(signature):
                os.pwrite(file, _mixed(minima).data, 8 * (band * len(self.numbers) + begin))

    def _verify_all(self, left: Ints, right: Ints) -> None:
        left, right = self._undecided(left, right)
        order = np.lexsort((right, left))  # pairs that share a text come together, and it is read once
        left, right = left[order], right[order]
        sizes = self.spool.sizes(self.numbers[left]) + self.spool.sizes(self.numbers[right])
        for begin, end in pieces(sizes):
            self._verify(*self._undecided(left[begin:end], right[begin:end]))

    def _undecided(self, left: Ints, right: Ints) -> tuple[Ints, Ints]:
        is_open = self.sets.joinable(left, right)
        return left[is_open], right[is_open]

    def _verify(self, left: Ints, right: Ints) -> None:
        """Join those pairs [K] of positions that are similar enough."""
        needed, places = np.unique(np.concatenate([left, right]), return_inverse=True)
        texts = self.spool.read(self.numbers[needed])
        one, other = places[: len(left)], places[len(left) :]
        found = jaccard(texts, one, other)
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        wanted = wanted_similarity(np.minimum(lengths[one], lengths[other]), self.similarity)
        near = found >= wanted - 1e-9  # 4/5 must reach 0.8
        for a, b, value in zip(left[near].tolist(), right[near].tolist(), found[near].tolist(), strict=True):
            if self.sets.join(a, b) and len(self.pairs) < N_EXAMPLES:
                self.pairs.append((a, b, value))


def bands_for(similarity: float) -> tuple[int, int]:
    """(bands, hashes in each): the strictest bands that still find 99.5 % of the pairs of this very similarity."""
    for n_rows in range(16, 1, -1):
        n_bands = N_HASHES // n_rows
        if 1 - (1 - similarity**n_rows) ** n_bands >= RECALL:
            return n_bands, n_rows
    return N_HASHES, 1


def candidates(keys: NDArray[np.uint64]) -> tuple[Ints, Ints]:
    """Pairs (left < right) of positions with one key: each with the first of its group and with the one before it.

    All pairs of a group would be quadratic; what these two miss meets again in another band.
    """
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    is_mate = np.zeros(len(keys), bool)
    is_mate[1:] = ordered[1:] == ordered[:-1]
    mates, starts = np.flatnonzero(is_mate), np.flatnonzero(~is_mate)
    leaders = starts[np.searchsorted(starts, mates, side="right") - 1]
    is_later = mates - 1 != leaders
    left = np.concatenate([order[leaders], order[mates[is_later] - 1]])
    return left, np.concatenate([order[mates], order[mates[is_later]]])


def _mixed(minima: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """One 64-bit key [n] of the hashes [rows, n] of a band."""
    keys = np.zeros(minima.shape[1], np.uint64)
    for row in minima:
        keys = (keys ^ row) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys
