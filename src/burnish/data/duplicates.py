"""Clusters of rows whose texts repeat each other, exactly or nearly, for splits that keep copies on one side.

Texts are exact duplicates when they are equal after NFKC, case folding and collapsing of white space; near
duplicates when the Jaccard similarity of their character 5-grams is high enough (see `near`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from burnish.core.events import Listener, Progress, ignore
from burnish.core.files import disk_faults
from burnish.data.disjoint import DisjointSets
from burnish.data.near import N_EXAMPLES, NearSearch
from burnish.data.shingles import core, normalised
from burnish.data.spool import TextSpool

Mode = Literal["near", "exact", "off"]
Ints = NDArray[np.int64]

SMALLEST_CAP = 20


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rows that repeat each other, `first` < `second`."""

    first: int
    second: int
    similarity: float


@dataclass(frozen=True)
class Clusters:
    """Which of N rows repeat each other. A row without a copy is a cluster of its own."""

    ids: Ints
    """[N] the smallest row of the row's cluster."""
    exact_ids: Ints
    """[N] the smallest row with the same normalised text."""
    n_exact: int
    """Rows whose normalised text stood in an earlier row."""
    n_near: int
    """Rows besides, that a cluster holds beyond its first."""
    n_full: int
    """Clusters that took no more near duplicates because they had reached the cap."""
    examples: tuple[Pair, ...]
    """Up to ten pairs, near ones first."""


def comparable(example: Mapping[str, Any]) -> str:
    """What of an example tells copies: the digest of its content where it has one, else its text, or two as one."""
    if example.get("content"):
        return str(example["content"])
    pair = example.get("text_pair")
    return f"{example['text']}\n{pair}" if pair else str(example["text"])


def duplicate_clusters(
    texts: Iterable[str], n: int, mode: Mode, similarity: float, work: Path, listen: Listener = ignore
) -> Clusters:
    """Clusters of `n` texts, read once, in order. `work` is a folder for temporary files.

    Near duplicates of near duplicates share a cluster, but one of more than 20 distinct texts (or 0.1 % of
    them, when that is more) takes no further ones: so long a chain is a template, and must not swallow a class.
    """
    return _clusters(texts, n, mode, _Near(similarity, work, listen, is_capped=True))


def all_duplicates(
    texts: Iterable[str], n: int, mode: Mode, similarity: float, work: Path, listen: Listener = ignore
) -> Clusters:
    """The same without the cap: where nothing is moved, as in a search for leaks, every repetition counts."""
    return _clusters(texts, n, mode, _Near(similarity, work, listen, is_capped=False))


def label_conflicts(exact_ids: Ints, codes: NDArray[np.int32]) -> Ints:
    """Rows [K], ascending, whose text stands elsewhere under another label. `codes` [N] are label codes."""
    order = np.lexsort((codes, exact_ids))
    ids, labels = exact_ids[order], codes[order]
    is_conflict = (ids[1:] == ids[:-1]) & (labels[1:] != labels[:-1])
    return np.flatnonzero(np.isin(exact_ids, ids[1:][is_conflict]))


@dataclass(frozen=True)
class _Near:
    """How near duplicates are looked for."""

    similarity: float
    work: Path
    listen: Listener
    is_capped: bool

    def search(self, spool: TextSpool, numbers: Ints) -> NearSearch:
        cap = max(SMALLEST_CAP, len(numbers) // 1000) if self.is_capped else len(numbers)
        return NearSearch(spool, numbers, DisjointSets(len(numbers), cap), self.similarity)


def _clusters(texts: Iterable[str], n: int, mode: Mode, near: _Near) -> Clusters:
    alone = np.arange(n, dtype=np.int64)
    if mode == "off":
        return Clusters(alone, alone, 0, 0, 0, ())
    with disk_faults(near.work), TextSpool(near.work) as spool:
        exact_ids = _first_of_equal(_hashes(texts, n, spool if mode == "near" else None, near.listen))
        first = np.flatnonzero(exact_ids == alone)
        del alone  # memory is counted: eight bytes a row
        n_exact = n - len(first)
        if mode == "exact":
            return Clusters(exact_ids, exact_ids, n_exact, 0, 0, _examples(exact_ids, []))
        search = near.search(spool, first)
        search.run(near.work, near.listen)
    roots = search.sets.roots(np.arange(len(first)))
    ids = first[roots][np.searchsorted(first, exact_ids)]
    n_near = len(first) - len(np.unique(roots))
    pairs = [Pair(int(first[a]), int(first[b]), round(value, 4)) for a, b, value in search.pairs]
    return Clusters(ids, exact_ids, n_exact, n_near, search.sets.n_full, _examples(exact_ids, pairs))


def _hashes(texts: Iterable[str], n: int, spool: TextSpool | None, listen: Listener) -> NDArray[np.uint64]:
    """[n] 64-bit hashes of the normalised texts. Among 2 million, two collide with a probability of 1e-7."""
    hashes = np.empty(n, np.uint64)
    done = 0
    for text in texts:
        if done == n:
            raise ValueError(f"got more texts than the {n} that were announced")
        plain = normalised(text)
        content = plain.encode("utf-8", "surrogatepass")
        hashes[done] = int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")
        if spool:
            spool.add(core(plain))
        done += 1
        if done % 50_000 == 0:
            listen(Progress("duplicates", done, n, "rows"))
    if done != n:
        raise ValueError(f"got {done} texts, but {n} were announced")
    return hashes


def _first_of_equal(hashes: NDArray[np.uint64]) -> Ints:
    """[N] the smallest index with the same hash."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    is_new = np.ones(len(hashes), bool)
    is_new[1:] = ordered[1:] != ordered[:-1]
    first = np.empty(len(hashes), np.int64)
    first[order] = order[is_new][np.cumsum(is_new) - 1]
    return first


def _examples(exact_ids: Ints, near: list[Pair]) -> tuple[Pair, ...]:
    """Half of each kind, or more of one where the other has few."""
    copies = np.flatnonzero(exact_ids != np.arange(len(exact_ids)))[:N_EXAMPLES].tolist()
    exact = [Pair(int(exact_ids[row]), row, 1.0) for row in copies]
    n_near = max(N_EXAMPLES // 2, N_EXAMPLES - len(exact))
    return tuple((near[:n_near] + exact)[:N_EXAMPLES])
